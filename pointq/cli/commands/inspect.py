"""``pointq inspect``: what is in the batches that wait, without taking them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text
from pointq.cli.kinds import ALL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AsyncExitStack

    from pointq.cli.inspect_output import Output
    from pointq.config import Settings
    from pointq.ops.batches import Batch
    from pointq.ops.inspecting import LaneCounts, Question
    from pointq.queue.audit import AuditLine

HELP = help_text(
    "Look at batches that wait, that workers hold, or that the database refused. Nothing is consumed.",
    ("pointq inspect upload", "the oldest of each, decoded"),
    ("pointq inspect live --dead", "dead letters, and why"),
    ("pointq inspect all --pending", "what workers hold, and since when"),
    ("pointq inspect upload --id 1764000000000-0 --json", "one batch with all its points"),
    ("pointq inspect upload --ready -n 0 --format csv > waiting.csv", "everything that waits"),
    ("pointq inspect upload --dead --format geojson", "points for a map"),
    ("pointq inspect all --spool", "what waits on this machine's disk"),
    ("pointq inspect all --from pointq-purge.jsonl", "what an export holds"),
    ("pointq inspect --audit", "who purged what, and when"),
)

_BATCHES = 10
"""Shown of each state of each lane."""


class Format(StrEnum):
    """How batches are printed."""

    TABLE = "table"
    JSON = "json"
    GEOJSON = "geojson"
    CSV = "csv"


def inspect(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="live, upload, scoring, flymaster, or all.")] = ALL,
    *,
    ready: Annotated[bool, typer.Option("--ready", help="Batches that no worker has taken yet.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Batches that workers hold.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Points that the database refused. None of the three: all.")] = False,
    spool: Annotated[bool, typer.Option("--spool", help="Batches in the spool of this machine's data folder.")] = False,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only the batch of this id; may be repeated.")] = None,
    most: Annotated[
        int | None, typer.Option("-n", min=0, help="Batches of each state of each lane; 0: all. By default 10.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="A table shows a few points of each batch, the others all.")
    ] = Format.TABLE,
    as_json: JsonOption = False,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Look into a file that purge or inspect exported.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the batches to a file that `pointq replay` reads.")
    ] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Show who purged what, and when.")] = False,
) -> None:
    """Show batches."""
    from pointq import aio
    from pointq.cli.inspect_output import output

    app = app_context(ctx)
    settings = app.load_config().settings
    form = Format.JSON if as_json else form
    if audit:
        _show_audit(app, aio.run_impatiently(_audit(settings, most)), as_json=form is Format.JSON)
        return
    named = {"ready": ready, "pending": pending, "dead": dead, "spool": spool}
    # an export says itself what it holds
    usual = {"ready", "pending", "dead"} if source is None else set(named)
    states = frozenset(state for state, chosen in named.items() if chosen) or frozenset(usual)
    if most is None:
        most = 0 if export is not None or source is not None or ids else _BATCHES
    question = _question(settings, kind, states, tuple(ids or ()), most or None)
    aio.run_impatiently(_run(settings, kind, question, source, export, output(app, form.value, kind, question)))


def _question(settings: "Settings", kind: str, states: frozenset[str], ids: tuple[str, ...], most: int | None) -> "Question":
    import re

    from pointq.cli.kinds import lanes_named
    from pointq.errors import UsageError
    from pointq.ops.inspecting import Question

    for each in ids:
        if "spool" not in states and not re.fullmatch(r"[0-9]{1,20}-[0-9]{1,20}", each):
            raise UsageError(f"{each!r} is no id of a batch", hint="ids are as `pointq inspect` shows them, 1764000000000-0")
    return Question(frozenset(lane.kind.name for lane in lanes_named(settings, kind)), states, ids, most)


async def _run(
    settings: "Settings", kind: str, question: "Question", source: Path | None, export: Path | None, out: "Output"
) -> None:
    """Find batches and hand them to the output, or into a file."""
    from contextlib import AsyncExitStack

    from pointq.errors import PointqError
    from pointq.ops.exports import Export

    async with AsyncExitStack() as stack:
        lanes, batches = await _batches(stack, settings, kind, question, source)
        file = None if export is None else stack.enter_context(Export(export, kind, _one(question.states)))
        if file is None:
            out.begin(lanes)
        found = 0
        async for batch in batches:
            found += 1
            if file is None:
                out.batch(batch)
            else:
                file.add(batch)
        if question.ids and not found:
            raise PointqError(f"no batch has the id {', '.join(question.ids)}", hint="it may be stored by now")
        if file is None:
            out.end()
        else:
            file.finish()
            out.exported(file)


def _one(states: frozenset[str]) -> str:
    return next(iter(states)) if len(states) == 1 else ALL


async def _batches(
    stack: "AsyncExitStack", settings: "Settings", kind: str, question: "Question", source: Path | None
) -> "tuple[list[LaneCounts], AsyncIterator[Batch]]":
    """What the lanes hold in all, and the batches that are asked for, wherever they are."""
    from pointq.cli.kinds import lanes_named
    from pointq.cli.reached import reached
    from pointq.ops import inspecting
    from pointq.queue.browse import Browser
    from pointq.queue.heartbeats import Heartbeats

    if source is not None:
        return [], _each(inspecting.in_export(source, question))
    spooled = _each(inspecting.in_spool(settings.data_dir / "spool", question) if "spool" in question.states else ())
    if not question.in_redis:
        return [], spooled
    redis, url = await reached(stack, settings)
    lanes = lanes_named(settings, kind)
    workers = await inspecting.living(Heartbeats(redis, url, settings.queue.prefix))
    queued = inspecting.in_queue(Browser(redis, url), lanes, question, workers)
    return await inspecting.counts(redis, url, lanes), _chained(queued, spooled)


async def _each(batches: "Iterable[Batch]") -> "AsyncIterator[Batch]":
    for batch in batches:
        yield batch


async def _chained(*parts: "AsyncIterator[Batch]") -> "AsyncIterator[Batch]":
    for part in parts:
        async for batch in part:
            yield batch


async def _audit(settings: "Settings", most: int | None) -> "list[AuditLine]":
    from contextlib import AsyncExitStack

    from pointq.cli.reached import reached
    from pointq.queue.audit import Audit

    async with AsyncExitStack() as stack:
        redis, url = await reached(stack, settings)
        return await Audit(redis, url, settings.queue.prefix).read(most or None)


def _show_audit(app: AppContext, lines: "list[AuditLine]", *, as_json: bool) -> None:
    from pointq.cli.inspect_screen import audit_table

    if as_json:
        print_json({"audit": lines})
    elif lines:
        app.out.print(audit_table(lines))
    else:
        app.err.print("nobody has purged anything")
