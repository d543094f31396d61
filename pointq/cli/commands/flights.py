"""``pointq flights``: what was stored, and out again."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from pointq.config import Settings
    from pointq.store.mapping import Tables

HELP = help_text(
    "Show which flights are stored, and write one of them to a file.",
    ("pointq flights", "the fifty with the latest fixes"),
    ("pointq flights --kind live --since 2h", "who flew in the last two hours"),
    ("pointq flights --device phone-42 --json", "for a script"),
    ("pointq flights export task-3-pilot-42 -o 42.igc", "a flight as a file; the name says the format"),
    ("pointq flights export 42 --format csv | head", "to standard output"),
)
EXPORT_HELP = help_text(
    "Write a stored flight as a file: gpx, igc, geojson or csv.",
    ("pointq flights export task-3-pilot-42 -o 42.igc", "the name of the file says the format"),
    ("pointq flights export task-3-pilot-42 --kind live --format gpx", "where several kinds have a flight of that id"),
    ("pointq flights export 0b142a26-1c1c-5c23-a714-8b4148b18963 --format csv", "by its UUID"),
)

app = typer.Typer(help=HELP, invoke_without_command=True)

_KindOption = Annotated[str | None, typer.Option(help="Flights of this kind only: live, upload, scoring or flymaster.")]


@app.callback()
def flights(
    ctx: typer.Context,
    *,
    kind: _KindOption = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="With a fix since then: 30min, 2h, 3d ago, or a time with its offset.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Flights of this device only.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="At most so many; 0 is all.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the flights."""
    if ctx.invoked_subcommand is not None:
        return
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.moments import parse_moment
    from pointq.ops.flights import look
    from pointq.store.flights import Wanted

    app_ = app_context(ctx)
    settings = app_.load_config().settings
    now = dt.datetime.now(dt.UTC)
    _tables(settings)
    wanted = Wanted(_kind(kind), parse_moment(since, now) if since else None, device, limit or None)
    with servers(settings) as backends:
        found = aio.run_impatiently(look(backends.database_url, wanted, now, settings.patience_seconds))
    if as_json:
        print_json(found)
        return
    from pointq.cli.flights_screen import render

    app_.out.print(render(found))


@app.command("export", help=EXPORT_HELP)
def export(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="Id or UUID of the flight.")],
    *,
    format_name: Annotated[
        str | None, typer.Option("--format", help="gpx, igc, geojson or csv; by default as FILE is called.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="Where to; by default standard output."),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="The flight of this kind, where several have one of that id.")] = None,
) -> None:
    """Write a flight."""
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.numbers import counted
    from pointq.ops.flights import export as write

    app_ = app_context(ctx)
    settings = app_.load_config().settings
    tables = _tables(settings)
    chosen = _format(format_name, output)
    with servers(settings) as backends, _opened(output) as file:
        writing = write(
            backends.database_url, name, _kind(kind), chosen, file, patience=settings.patience_seconds, tables=tables
        )
        flight = aio.run_impatiently(writing)
    _tell(app_, output, f"{counted(flight.points, 'point')} of kind {flight.kind}")


def _tables(settings: "Settings") -> "Tables":
    """Where everything is. Raises ConfigError where pointq keeps no flights of its own, which are what this command reads."""
    from pointq.errors import ConfigError
    from pointq.store.mapping import OWN_FLIGHTS, tables_of

    tables = tables_of(settings.tables)
    if tables.flights is not OWN_FLIGHTS:
        raise ConfigError(
            "the setting tables.flights says that pointq keeps no flights of its own, so it cannot list them",
            hint="ask the database: docs/database.md has the queries",
        )
    return tables


def _tell(app_: AppContext, output: Path | None, what: str) -> None:
    if output is not None:
        app_.err.print(f"{output}: {what}", markup=False, soft_wrap=True)


def _kind(name: str | None) -> str | None:
    from pointq.errors import UsageError
    from pointq.points.kinds import KINDS

    if name is not None and name not in KINDS:
        raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}")
    return name


def _format(name: str | None, output: Path | None) -> str:
    from pointq.errors import UsageError
    from pointq.formats.writers import WRITERS

    chosen = name or (output.suffix.removeprefix(".").lower() if output else "")
    if chosen not in WRITERS:
        found = f"found {chosen!r}" if chosen else "none was given"
        raise UsageError(f"the format must be one of {', '.join(WRITERS)}; {found}", hint="say it with --format")
    return chosen


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """The file, there under its name only when it is whole; standard output where there is none."""
    if path is None:
        yield sys.stdout.buffer
        return
    from pointq.errors import PointqError

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except OSError as exc:
        raise PointqError(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
