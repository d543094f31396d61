"""``pointq purge``: waiting batches or dead letters removed for good, after an export."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pointq.config import Settings
    from pointq.ops.purging import Criteria, Preview, Purge, Removed
    from pointq.queue.browse import State

T = TypeVar("T")

HELP = help_text(
    "Remove batches for good, after an export to a file that `pointq replay` can put back.",
    ("pointq purge upload --dead --dry-run", "what would go"),
    ("pointq purge upload --dead", "dead letters: shows them, asks, exports, removes"),
    ("pointq purge all --dead --reason 22003", "those with this SQLSTATE, or this text in the message"),
    ("pointq purge live --ready --older-than 2h", "live points that nobody needs any more"),
    ("pointq purge upload --yes --export /backup/upload.jsonl", "in a script, with everything of the kind"),
    ("pointq inspect --audit", "who purged what, and when"),
)


def purge(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="live, upload, scoring, flymaster, or all.")],
    *,
    ready: Annotated[bool, typer.Option("--ready", help="Batches that no worker has taken yet.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Batches that workers took and that no living one holds.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Points that the database refused. None of the three: all.")] = False,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what has been there for longer: 90s, 15m, 2h, 7d.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only dead letters with this SQLSTATE, or this text in their message.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Export to this file; by default a dated one, here.")
    ] = None,
    no_export: Annotated[bool, typer.Option("--no-export", help="Do not export: what is removed is lost.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove what living workers hold too; they may store it all the same.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can answer.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Remove batches."""
    from pointq.errors import UsageError

    app = app_context(ctx)
    settings = app.load_config().settings
    named: dict[State, bool] = {"pending": pending, "ready": ready, "dead": dead}
    criteria = _criteria(settings, kind, named, older_than, reason, force=force)
    if export is not None and no_export:
        raise UsageError("--export and --no-export exclude each other", hint="give one of them")
    if not (yes or dry_run or app.can_ask()):
        raise UsageError("purge removes points for good, and nobody can be asked here", hint="add --yes, or --dry-run to see")
    path = None if no_export else export or _dated(kind)
    order = _Order(criteria, path, dry_run=dry_run, ask=not yes, as_json=as_json)
    return _run(app, settings, order)


@dataclass(frozen=True, slots=True)
class _Order:
    """What was typed."""

    criteria: "Criteria"
    path: Path | None
    dry_run: bool
    ask: bool
    as_json: bool


def _run(app: AppContext, settings: "Settings", order: _Order) -> int:
    """Look, show, ask, remove, tell. The question stands outside of the event loop, which would swallow a Ctrl-C."""
    from pointq import aio
    from pointq.cli.purge_screen import print_preview, print_removed
    from pointq.errors import ExitCode

    preview = aio.run_impatiently(_with_purge(app, settings, order.criteria, lambda purge: purge.preview()))
    removed: Removed | None = None
    if not order.as_json or (order.ask and not order.dry_run):
        print_preview(app, order.criteria, preview, order.path, dry_run=order.dry_run)
    if preview.batches and not order.dry_run:
        if order.ask:
            _ask(order.criteria.kind)
        remove = _with_purge(app, settings, order.criteria, lambda purge: purge.carry_out(preview, order.path))
        removed = aio.run_impatiently(remove)
    if order.as_json:
        print_json(_document(order, preview, removed))
    elif removed is not None:
        print_removed(app, removed)
    stayed = preview.held or (removed is not None and (removed.taken_batches or removed.gone_batches))
    return ExitCode.REJECTS if stayed and not order.dry_run else ExitCode.OK


async def _with_purge(
    app: AppContext, settings: "Settings", criteria: "Criteria", step: "Callable[[Purge], Awaitable[T]]"
) -> "T":
    """Do one step on a connection of its own: a person may take longer to answer than a server keeps one."""
    from contextlib import AsyncExitStack

    from pointq.cli.purge_screen import Progress
    from pointq.cli.reached import reached
    from pointq.ops.purging import Purge

    async with AsyncExitStack() as stack:
        redis, url = await reached(stack, settings)
        progress = stack.enter_context(Progress(app))
        return await step(Purge(redis, url, settings.queue.prefix, criteria, progress.tell))


def _criteria(
    settings: "Settings", kind: str, named: "dict[State, bool]", older_than: str | None, reason: str | None, *, force: bool
) -> "Criteria":
    from pointq.cli.durations import parse_duration
    from pointq.cli.kinds import lanes_named
    from pointq.errors import UsageError
    from pointq.ops.purging import Criteria

    states = tuple(state for state, chosen in named.items() if chosen)
    if reason is not None:
        if set(states) - {"dead"}:
            raise UsageError("--reason is about dead letters", hint="leave --ready and --pending out")
        states = ("dead",)
    seconds = None if older_than is None else parse_duration(older_than)
    return Criteria(kind, lanes_named(settings, kind), states or tuple(named), seconds, reason, force)


def _dated(kind: str) -> Path:
    from datetime import UTC, datetime

    return Path(f"pointq-purge-{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl")


def _ask(name: str) -> None:
    from pointq.errors import PointqError

    if typer.prompt(f"Type {name} to remove them", err=True).strip() != name:
        raise PointqError("that is not the name; nothing was removed")


def _document(order: _Order, preview: "Preview", removed: "Removed | None") -> dict[str, object]:
    from pointq import clock

    return {
        "time": clock.now(),
        "kind": order.criteria.kind,
        "states": order.criteria.states,
        "dry_run": order.dry_run,
        "batches": preview.batches,
        "points": preview.points,
        "lanes": preview.shares,
        "held": preview.held,
        "removed": removed,
    }
