"""From frames outside Redis into their lanes, as points that were never there: files of exports, records of a spool."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pointq.errors import FrameError
from pointq.ops.replay.following import Entries
from pointq.ops.replay.gate import Gate
from pointq.ops.replay.report import Refusal, Report
from pointq.points import frame
from pointq.points.kinds import KINDS
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, History, Producer
from pointq.queue.sharding import by_shard

_MOST_APPENDS = 64


@dataclass(frozen=True, slots=True)
class Framed:
    """One batch outside Redis."""

    where: str
    """The file, and the place in it."""
    kind: str | None
    """What stands beside the frame about its kind, if anything."""
    points: int | None
    frame: bytes = field(repr=False)
    history: History | None = None


Found = Framed | Refusal
Look = Callable[[], Iterable[Found]]
"""Reads all of it from the start."""


def survey(look: Look, lanes: Sequence[Lane], report: Report) -> None:
    """Count what would go where; nothing is changed."""
    for append in _appends(look(), lanes, report):
        report.add(append.lane, append.points)


async def enqueue(
    look: Look,
    lanes: Sequence[Lane],
    producer: Producer,
    gate: Gate,
    report: Report,
    entries: Entries,
    tell: Callable[[], None],
) -> None:
    """Append all of it; what a step reports is durable, whatever happens then. Raises RedisError, WaitTimeout."""
    async for group in _groups(_appends(look(), lanes, report), gate.step_points):
        for lane in {append.lane: None for append in group}:
            await gate.pass_(lane, sum(append.points for append in group if append.lane is lane))
        for append, entry_id in zip(group, await producer.enqueue(group), strict=True):
            report.add(append.lane, append.points)
            entries.add(append.lane, entry_id)
        tell()


async def _groups(appends: Iterable[Append], most_points: int) -> AsyncIterator[list[Append]]:
    group: list[Append] = []
    points = 0
    for append in appends:
        if group and (points + append.points > most_points or len(group) == _MOST_APPENDS):
            yield group
            group, points = [], 0
        group.append(append)
        points += append.points
    if group:
        yield group


def _appends(found: Iterable[Found], lanes: Sequence[Lane], report: Report) -> Iterator[Append]:
    """What is to be appended; of kinds whose lanes are not among those given nothing."""
    wanted = {lane.kind.name for lane in lanes}
    for each in found:
        if isinstance(each, Refusal):
            if each.kind is None or each.kind in wanted:
                report.refuse(each)
        # what claims to be of no kind there is must be said, not passed over
        elif each.kind in wanted or each.kind not in KINDS:
            try:
                yield from _of_frame(each, lanes)
            except FrameError as exc:
                report.refuse(Refusal(each.where, exc.message, each.kind, each.points))


def _of_frame(framed: Framed, lanes: Sequence[Lane]) -> Iterator[Append]:
    batch = frame.decode(framed.frame)
    if framed.kind not in {batch.kind.name, None}:
        raise FrameError(f"the frame holds {batch.kind.name} points, and {framed.kind} ones are said to be in it")
    own = [lane for lane in lanes if lane.kind is batch.kind]
    if not own or not len(batch):
        return
    for shard, part in by_shard(batch, len(own)):
        data = framed.frame if len(part) == len(batch) else frame.encode(part)
        yield Append(own[shard], data, len(part), history=framed.history)
