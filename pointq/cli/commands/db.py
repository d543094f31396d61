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
        _check(schema)
        return
    for table in schema.tables:
        typer.echo(f"{table:<26} {'made' if table in schema.made else 'there already'}")
    _print_mapped(schema)
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed: plain tables'}")
    _check(schema)


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
    _print_mapped(schema)
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed'}")


def _print_mapped(schema: "Schema") -> None:
    """Say of the user's own tables what differs, column by column, with the SQL that would mend it."""
    for table in schema.mapped:
        found = [finding for finding in schema.findings if finding.table == table]
        typer.echo(f"{table:<26} yours: {'as it must be' if not found else f'{len(found)} findings'}")
        for finding in found:
            typer.echo(f"  {finding.severity}: {f'{finding.column}: ' if finding.column else ''}{finding.problem}")
            if finding.mend:
                typer.echo(f"    {finding.mend}")


def _check(schema: "Schema") -> None:
    """Fail where a table of the user's cannot be used."""
    from pointq.errors import PointqError

    wrong = {finding.table for finding in schema.findings if finding.severity == "error"}
    if wrong:
        raise PointqError(
            f"nothing can be stored in {', '.join(sorted(wrong))}: not what pointq needs",
            hint="mend what is listed above, or correct the tables in the settings; docs/tables.md says why",
        )


def _with_database(ctx: typer.Context, action: str) -> "Schema":
    import asyncio

    from pointq.cli.backends import servers
    from pointq.store import schema
    from pointq.store.connection import connect
    from pointq.store.mapping import tables_of

    settings = app_context(ctx).load_config().settings
    tables = tables_of(settings.tables)

    async def run(url: str) -> "Schema":
        connection = await connect(url, within=settings.database.connect_timeout_seconds)
        try:
            return await (schema.init if action == "init" else schema.look)(connection, tables)
        finally:
            await connection.close()

    with servers(settings) as backends:
        return asyncio.run(run(backends.database_url))
