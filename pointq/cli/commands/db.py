"""``pointq db``: the tables."""

from typing import TYPE_CHECKING

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from pointq.store.schema import Schema

app = typer.Typer(
    help=help_text(
        "Make and look at the tables.",
        ("pointq db init", "make what is missing; changes and drops nothing"),
        ("pointq db status", "which tables are there"),
    )
)


@app.command()
def init(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Make the tables that are missing, as hypertables where the database has TimescaleDB. May be run at any time."""
    schema = _with_database(ctx, "init")
    if as_json:
        print_json(schema)
        return
    for table in schema.tables:
        typer.echo(f"{table:<26} {'made' if table in schema.made else 'there already'}")
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed: plain tables'}")


@app.command()
def status(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Say which tables are there."""
    schema = _with_database(ctx, "look")
    if as_json:
        print_json(schema)
        return
    for table in schema.tables:
        typer.echo(f"{table:<26} there")
    for table in schema.missing:
        typer.echo(f"{table:<26} missing: run `pointq db init`")
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed'}")


def _with_database(ctx: typer.Context, action: str) -> "Schema":
    import asyncio

    from pointq.cli.backends import servers
    from pointq.store import schema
    from pointq.store.connection import connect

    settings = app_context(ctx).load_config().settings

    async def run(url: str) -> "Schema":
        connection = await connect(url, within=settings.database.connect_timeout_seconds)
        try:
            return await (schema.init if action == "init" else schema.look)(connection)
        finally:
            await connection.close()

    with servers(settings) as backends:
        return asyncio.run(run(backends.database_url))
