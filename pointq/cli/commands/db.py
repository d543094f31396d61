"""``pointq db``: the tables."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from pointq.config import Settings
    from pointq.store.inspection import Finding

T = TypeVar("T")

app = typer.Typer(
    help=help_text(
        "Make and look at the tables.",
        ("pointq db init", "make what is missing; drops and rewrites nothing"),
        ("pointq db init --dry-run", "print the SQL that would run"),
        ("pointq db status", "sizes, chunks, compression, policies and their last runs, rows a day"),
    )
)


@app.command()
def init(
    ctx: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL that would run, and change nothing.")] = False,
    rollups: Annotated[bool, typer.Option("--rollups", help="Also make views of each flight's minutes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the tables that are missing, as hypertables where the database has TimescaleDB, and keep them as the settings say.

    May be run at any time: nothing that is stored is dropped or rewritten, and tables of yours are looked at and left alone.
    """
    from pointq.cli import db_screen
    from pointq.store import schema
    from pointq.store.layout import Layout

    settings = app_context(ctx).load_config().settings
    layout = Layout.of(settings, rollups=rollups)
    if dry_run:
        plan = _with_database(settings, lambda connection: schema.preview(connection, layout))
        db_screen.plan(plan, as_json=as_json)
        return
    found = _with_database(settings, lambda connection: schema.init(connection, layout))
    if as_json:
        print_json(found)
    else:
        db_screen.made(found)
    _refuse(found.findings)


@app.command()
def status(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Say which tables are there, how large they are, how they are kept, and how fast they grow."""
    from pointq.cli import db_screen
    from pointq.store import state
    from pointq.store.layout import Layout

    app = app_context(ctx)
    settings = app.load_config().settings
    layout = Layout.of(settings)
    found = _looked(settings, lambda connection: state.look(connection, layout))
    if as_json:
        print_json(found)
    else:
        app.out.print(db_screen.state(found))
    _refuse(found.findings)


def _refuse(findings: "tuple[Finding, ...]") -> None:
    """Fail where a table of the user's cannot be used, however it was shown."""
    from pointq.errors import PointqError

    wrong = {finding.table for finding in findings if finding.severity == "error"}
    if wrong:
        raise PointqError(
            f"nothing can be stored in {', '.join(sorted(wrong))}: not what pointq needs",
            hint="mend what is listed above, or correct the tables in the settings; docs/tables.md says why",
        )


def _with_database(settings: "Settings", act: "Callable[[AsyncConnection], Awaitable[T]]") -> "T":
    import asyncio

    from pointq.cli.backends import servers
    from pointq.store.connection import connect

    async def run(url: str) -> "T":
        connection = await connect(url, within=settings.database.connect_timeout_seconds)
        try:
            return await act(connection)
        finally:
            await connection.close()

    with servers(settings) as backends:
        return asyncio.run(run(backends.database_url))


def _looked(settings: "Settings", act: "Callable[[AsyncConnection], Awaitable[T]]") -> "T":
    """Only look: a database that hangs is told of within a second."""
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.ops.reach import database, in_time

    async def run(url: str) -> "T":
        async with database(url, settings.patience_seconds) as connection:
            return await in_time(act(connection), connection, url)

    with servers(settings) as backends:
        return aio.run_impatiently(run(backends.database_url))
