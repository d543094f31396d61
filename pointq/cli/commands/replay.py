"""``pointq replay``: dead letters, spools, exported files and stored batches back into the queue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import JsonOption, app_context
from pointq.cli.help import help_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pointq.cli.replay_run import Asked

HELP = help_text(
    "Put points back into the queue: dead letters, or what files, a spool or Redis still hold.",
    ("pointq replay --dry-run", "which dead letters there are"),
    ("pointq replay", "all dead letters, each back into its lane"),
    ("pointq replay --kind live --reason 23514 --wait", "those with this SQLSTATE; say which died again"),
    ("pointq replay --id 1719000000000-0", "this one"),
    ("pointq replay pointq-purge-upload-20260621T120000Z.jsonl", "what purge or inspect exported"),
    ("pointq replay --spool /mnt/old-host/pointq", "the spool of a dead machine, its quarantine too"),
    ("pointq replay --since 26h", "what was stored since then, into a restored database"),
)


def replay(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]…", help="Exports of purge or inspect; none: dead letters.")
    ] = None,
    *,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind: live, upload, scoring, flymaster; may be repeated.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only dead letters with this SQLSTATE, or this text in their message.")
    ] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", metavar="ID", help="Only this dead letter; may be repeated.")] = None,
    spool: Annotated[
        Path | None, typer.Option(metavar="PATH", help="What this data folder, spool, slot, quarantine or segment holds.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="What was stored since then, where it is retained: a time, or 26h ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="With --since: and until then; by default now.")] = None,
    rate: Annotated[float | None, typer.Option(min=1, help="Points a second; by default as fast as Redis takes them.")] = None,
    most_waiting: Annotated[
        int, typer.Option(min=1, help="Wait for the workers while so many points of a lane are not stored.")
    ] = 500_000,
    wait: Annotated[bool, typer.Option("--wait", help="Return when all is stored, and say what died again.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Longest wait for workers that store nothing, in seconds.")] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go where, and change nothing.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Replay."""
    from pointq import aio
    from pointq.cli.commands.work import chosen_lanes
    from pointq.cli.replay_run import Asked, Pace, Run

    app = app_context(ctx)
    settings = app.load_config().settings
    asked = Asked(tuple(files or ()), spool, *_range(since, until), reason, tuple(ids or ()))
    _check(asked, until)
    pace = Pace(rate, most_waiting, timeout)
    run = Run(app, settings, chosen_lanes(settings, None, kind), asked, pace, waits=wait, dry_run=dry_run, as_json=as_json)
    return aio.run_impatiently(run.all())


def _range(since: str | None, until: str | None) -> "tuple[int | None, int | None]":
    import datetime as dt

    from pointq.cli.moments import parse_moment

    now = dt.datetime.now(dt.UTC)
    first, last = (None if text is None else parse_moment(text, now) for text in (since, until))
    return _milliseconds(first), _milliseconds(last)


def _milliseconds(moment: "dt.datetime | None") -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _check(asked: "Asked", until: str | None) -> None:
    from pointq.errors import UsageError

    named = [name for name, given in (("FILE", asked.files), ("--spool", asked.spool), ("--since", asked.since)) if given]
    if until is not None and asked.since is None:
        raise UsageError("--until needs --since", hint="say from when on")
    if len(named) > 1:
        raise UsageError(f"{_listed(named)} exclude each other", hint="replay one after the other")
    if named and (asked.reason is not None or asked.ids):
        raise UsageError(f"--reason and --id choose dead letters, {named[0]} something else", hint="leave one of them out")
    if asked.since is not None and asked.until is not None and asked.since > asked.until:
        raise UsageError("--since is later than --until", hint="exchange them")
    for each in asked.ids:
        if not _is_id(each):
            raise UsageError(
                f"{each!r} is no id of a dead letter", hint="write 1719000000000-0; --dry-run --json or inspect shows them"
            )


def _is_id(text: str) -> bool:
    milliseconds, dash, number = text.partition("-")
    return bool(dash) and milliseconds.isascii() and milliseconds.isdigit() and number.isascii() and number.isdigit()


def _listed(names: "Sequence[str]") -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
