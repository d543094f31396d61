"""``pointq import``: files into the queue."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from pointq.points.kinds import Kind

HELP = help_text(
    "Import flights from files: IGC, Flymaster, XContest, GeoJSON, GPX, CSV, FIT; in folders and zip archives too.",
    ("pointq import track.igc", "one file"),
    ("pointq import task-3/ 'more/**/*.igc'", "all files of a folder, and a pattern"),
    ("pointq import flights.zip --wait", "and say how many fixes were new"),
    ("pointq import --flight-id 2024-pilot-7 track.igc", "under an id of your own"),
    ("pointq import --map time_utc=Zeit --map lat=Breite --map lon=Laenge tracks.csv", "a table with other names"),
    ("ssh logger cat today.igc | pointq import -", "from standard input"),
)


def import_(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files, folders, patterns, zip archives; - is stdin.")],
    *,
    kind: Annotated[
        str | None,
        typer.Option(help="Store as this kind; by default Flymaster uploads as flymaster, all others as upload."),
    ] = None,
    flight_id: Annotated[str | None, typer.Option(help="Id of the flight; by default a digest of its fixes.")] = None,
    device_id: Annotated[str | None, typer.Option(help="Device that recorded it.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=HEADER", help="In tables: which column of the file is which; may be repeated."),
    ] = None,
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date of files that know none.")] = None,
    split: Annotated[bool, typer.Option("--split", help="A new flight at each new date record, and at each gap.")] = False,
    gap: Annotated[float, typer.Option(min=0, help="Minutes without a fix that --split takes for a gap.")] = 60.0,
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Return when all is stored, and say what was new; the rule on embedded servers."),
    ] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Longest wait, in seconds.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Import files."""
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.import_run import Run
    from pointq.cli.import_screen import exit_code, print_reports
    from pointq.ops.importing import Options, columns_of, summary

    app = app_context(ctx)
    settings = app.load_config().settings
    day = date.date() if date else None
    options = Options(_kind(kind), flight_id, device_id, day, split, gap * 60, columns_of(columns or ()))
    with servers(settings) as backends:
        waits = backends.embedded if wait is None else wait
        run = Run(app, settings, backends, options, waits=waits, timeout=timeout)
        reports = aio.run(run.all(paths))
    if as_json:
        print_json({"files": reports, "totals": summary(reports)})
    else:
        print_reports(app, reports)
    return exit_code(reports)


def _kind(name: str | None) -> "Kind | None":
    from pointq.errors import UsageError
    from pointq.points.kinds import KINDS

    if name is not None and name not in KINDS:
        raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}")
    return None if name is None else KINDS[name]
