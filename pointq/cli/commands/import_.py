"""``pointq import``: files into the queue, the database, or a server elsewhere."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from pointq.cli.backends import Servers
    from pointq.cli.import_run import Result, Wishes
    from pointq.config import Settings
    from pointq.ops.importing.options import Options

HELP = help_text(
    "Import flights from files, folders and archives: IGC, Flymaster, XContest, GeoJSON, GPX, CSV, FIT. "
    "What was imported before is skipped.",
    ("pointq import track.igc", "one file"),
    ("pointq import task-3/ 'more/**/*.igc'", "all files of a folder, and a pattern"),
    ("pointq import flights.zip --dry-run", "see what is in it, store nothing"),
    ("pointq import flights.zip --wait", "and say how many fixes were new"),
    ("pointq import season/ --direct --jobs 8", "into the database, without the queue"),
    ("pointq import task-3/ --url https://host", "to a pointq server elsewhere"),
    ("pointq import --flight-id 2024-pilot-7 track.igc", "under an id of your own"),
    ("pointq import --map lat=Breite tracks.csv", "a table whose header names a column otherwise"),
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
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date of files that know none.")] = None,
    split: Annotated[bool, typer.Option("--split", help="A new flight at each new date record, and at each gap.")] = False,
    gap: Annotated[float, typer.Option(min=0, help="Minutes without a fix that --split takes for a gap.")] = 60.0,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="NAME=HEADER", help="What a table calls a column, such as lat=Latitude; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, store nothing; needs no server.")] = False,
    direct: Annotated[bool, typer.Option("--direct", help="Into the database, past the queue; needs no Redis.")] = False,
    url: Annotated[str | None, typer.Option(help="Post the files to this pointq server; needs nothing else.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="POINTQ_TOKEN", show_envvar=True, help="What lets in at that server.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Files read at a time; by default one a core but one.")
    ] = None,
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Return when all is stored, and say what was new; the rule on embedded servers."),
    ] = None,
    timeout: Annotated[float | None, typer.Option(min=0, help="Longest wait for workers, in seconds.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Read files again that were imported before.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every refused record to this file, one JSON object a line.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Import files."""
    from pointq.cli.bearer import parse_token
    from pointq.cli.import_run import Wishes
    from pointq.ops.importing.options import Options, checked_kind, columns_of

    day = date.date() if date else None
    options = Options(
        checked_kind(kind) if kind else None, flight_id, device_id, day, split, gap * 60, columns_of(columns or ())
    )
    wishes = Wishes(
        options,
        "nowhere" if dry_run else "direct" if direct else "url" if url is not None else "queue",
        jobs,
        url or "",
        parse_token(token),
        waits=bool(wait),
        timeout=timeout,
        force=force,
        rejects=rejects,
    )
    _check(options, dry_run=dry_run, direct=direct, url=url, wishes=wishes)
    return _import(app_context(ctx), wishes, paths, as_json=as_json, may_wait=wait is None)


def _check(options: "Options", *, dry_run: bool, direct: bool, url: str | None, wishes: "Wishes") -> None:
    """Refuse what makes no sense together. Raises UsageError."""
    from pointq.errors import UsageError

    if sum((dry_run, direct, url is not None)) > 1:
        raise UsageError("--dry-run, --direct and --url say three different things", hint="choose one of them")
    if wishes.waits and url is not None:
        hint = "its points are durable when the import ends; `pointq status` on the server says when they are stored"
        raise UsageError("--wait cannot ask a server elsewhere", hint=hint)
    if wishes.force and (dry_run or url is not None):
        raise UsageError("--force changes nothing here: with --dry-run or --url every file is read", hint="leave it out")
    if options.split and options.flight_id:
        raise UsageError("--split makes several flights, --flight-id names one", hint="choose one of them")


def _import(app: AppContext, wishes: "Wishes", paths: "Sequence[str]", *, as_json: bool, may_wait: bool) -> int:
    from dataclasses import replace

    from pointq import aio
    from pointq.cli.import_run import Run
    from pointq.ops.sources import STDIN, read_stdin

    settings = app.load_config().settings
    # before anything else, so that a Ctrl-C while nothing comes ends it
    stdin = read_stdin() if STDIN in paths else b""
    with _servers(settings, wishes) as backends:
        if wishes.way == "queue" and backends is not None and may_wait:
            wishes = replace(wishes, waits=backends.embedded)
        result = aio.run(Run(app, settings, backends, wishes).all(paths, stdin))
    return _report(app, result, wishes.way, as_json=as_json)


def _servers(settings: "Settings", wishes: "Wishes") -> "AbstractContextManager[Servers | None]":
    from pointq.cli.backends import database_alone, servers

    if wishes.way in {"nowhere", "url"}:
        return nullcontext()
    return database_alone(settings) if wishes.way == "direct" else servers(settings)


def _report(app: AppContext, result: "Result", way: str, *, as_json: bool) -> int:
    from pointq.cli.import_screen import exit_code, print_reports, print_rest
    from pointq.errors import ExitCode
    from pointq.ops.importing.report import summary

    if as_json:
        print_json(
            {
                "files": result.reports,
                "totals": summary(result.reports),
                "interrupted": result.interrupted,
                "found": result.files,
            }
        )
    elif result.reports:
        print_reports(app, result.reports)
    if result.interrupted or result.failure is not None:
        print_rest(app, len(result.reports), result.files, resumes=way in {"queue", "direct"})
    if result.failure is not None:
        raise result.failure
    return ExitCode.INTERRUPTED if result.interrupted else exit_code(result.reports)
