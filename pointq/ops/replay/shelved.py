"""From the shelves of Redis back into their lanes: dead letters, and stored batches that were kept."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from pointq.clock import rfc3339
from pointq.ops.replay.following import Entries
from pointq.ops.replay.gate import Gate
from pointq.ops.replay.report import Refusal, Report
from pointq.queue.lanes import Lane
from pointq.queue.shelves import Lying, Shelf, Shelves

_STEP_BATCHES = 100
"""Batches that one script puts back: the server stands still for a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is meant: batches on one shelf of one lane, in a range of ids."""

    lane: Lane
    shelf: Shelf
    first: str
    last: str
    """Never open: what dies again meanwhile must not be put back in the same breath, again and again."""
    fits: Callable[[Lying], bool]


async def chosen_letters(
    shelves: Shelves, lanes: Sequence[Lane], *, reason: str | None = None, ids: Collection[str] = ()
) -> list[Choice]:
    """The dead letters of those lanes that there are now: all, or by SQLSTATE or a text in their message, or by id."""
    wanted = None if reason is None else reason.casefold()

    def fits(letter: Lying) -> bool:
        sqlstate, message = letter.fields.get("sqlstate", ""), letter.fields.get("message", "")
        return wanted is None or sqlstate.casefold() == wanted or wanted in message.casefold()

    if ids:
        return [Choice(lane, "dead", each, each, fits) for lane in lanes for each in ids]
    return [Choice(lane, "dead", "-", await shelves.last(lane, "dead"), fits) for lane in lanes]


async def chosen_range(shelves: Shelves, lanes: Sequence[Lane], since: int, until: int, report: Report) -> list[Choice]:
    """What was stored in that time, Unix milliseconds, and is kept; what is not kept any more is refused."""
    for lane in lanes:
        kept = await shelves.kept(lane)
        if kept.completed_at is None or kept.completed_at < since:
            continue
        if kept.whole_from is None:
            report.refuse(
                Refusal(_name(lane), "nothing that was stored is kept: queue.retain_seconds is not set", lane.kind.name)
            )
        elif kept.whole_from > since:
            said = f"what was stored before {rfc3339(kept.whole_from / 1000)} is not kept"
            report.refuse(Refusal(_name(lane), said, lane.kind.name))
    return [Choice(lane, "retained", str(since), str(until), lambda _: True) for lane in lanes]


async def survey(shelves: Shelves, choices: Sequence[Choice], report: Report, ids: Collection[str] = ()) -> None:
    """Count what would go back; an id that no batch has is refused. Nothing is changed. Raises RedisError."""
    missing = dict.fromkeys(ids)
    for choice in choices:
        async for batches in _chosen(shelves, choice):
            for lying in batches:
                report.add(choice.lane, lying.points)
                missing.pop(lying.id, None)
    for each in missing:
        report.refuse(Refusal(each, "no dead letter has this id, and fits what else was asked for"))


async def put_back(
    shelves: Shelves,
    choices: Sequence[Choice],
    gate: Gate,
    report: Report,
    entries: Entries,
    tell: Callable[[], None],
) -> None:
    """Put it back, step by step; what a step reports is done, whatever happens then. Raises RedisError, WaitTimeout."""
    for choice in choices:
        async for batches in _chosen(shelves, choice):
            for step in _steps(batches, gate.step_points):
                await gate.pass_(choice.lane, sum(lying.points for lying in step))
                new = await shelves.put_back(choice.lane, choice.shelf, [lying.id for lying in step])
                _count(choice.lane, step, new, report, entries)
                tell()


def _count(lane: Lane, step: Sequence[Lying], new: Sequence[str], report: Report, entries: Entries) -> None:
    for lying, entry_id in zip(step, new, strict=True):
        if entry_id:
            report.add(lane, lying.points)
            entries.add(lane, entry_id)
        else:
            report.gone_batches += 1


async def _chosen(shelves: Shelves, choice: Choice) -> AsyncIterator[list[Lying]]:
    async for page in shelves.walk(choice.lane, choice.shelf, choice.first, choice.last):
        yield [lying for lying in page if choice.fits(lying)]


def _steps(batches: Sequence[Lying], most_points: int) -> Iterator[Sequence[Lying]]:
    step: list[Lying] = []
    points = 0
    for lying in batches:
        if step and (points + lying.points > most_points or len(step) == _STEP_BATCHES):
            yield step
            step, points = [], 0
        step.append(lying)
        points += lying.points
    if step:
        yield step


def _name(lane: Lane) -> str:
    return f"{lane.kind.name}.{lane.shard}"
