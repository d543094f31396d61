"""Removing batches for good: chosen, shown, exported, then removed as they were seen, and put on record."""

import logging
from array import array
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pointq import clock
from pointq.errors import RedisError
from pointq.ops.batches import from_seen
from pointq.ops.exports import Export, author
from pointq.ops.inspecting import living
from pointq.queue.audit import Audit, AuditLine
from pointq.queue.browse import Browser, Seen, Span, State, id_parts
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.removal import Mark, remove

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

log = logging.getLogger("pointq.ops")

Tell = Callable[[str, int, int], None]
"""What is done, how many batches of it, of how many."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is meant to go."""

    kind: str
    """As it was asked for: a kind's name, or ``all``."""
    lanes: Sequence["Lane"]
    states: tuple[State, ...]
    older_than: float | None = None
    """Seconds that it has been where it is."""
    reason: str | None = None
    """Of dead letters: their SQLSTATE, or a part of their message, in whatever case."""
    force: bool = False
    """Also what a living worker holds."""

    def fits(self, seen: Seen) -> bool:
        """Whether a batch is meant, whoever holds it."""
        if self.older_than is not None and seen.age <= self.older_than:
            return False
        if self.reason is None:
            return True
        wanted = self.reason.casefold()
        return (seen.text("sqlstate") or "").casefold() == wanted or wanted in (seen.text("message") or "").casefold()

    @property
    def filters(self) -> str | None:
        """The filters in words."""
        older = "" if self.older_than is None else f"older than {self.older_than:g} s"
        reason = "" if self.reason is None else f"reason {self.reason}"
        return ", ".join(filter(None, (older, reason, "forced" if self.force else ""))) or None


@dataclass(slots=True)
class Share:
    """Batches of one state of one lane."""

    kind: str
    shard: int
    state: State
    batches: int = 0
    points: int = 0
    oldest_seconds: float = 0.0
    newest_seconds: float | None = None

    def count(self, seen: Seen) -> None:
        """Add a batch."""
        self.batches += 1
        self.points += seen.points
        self.oldest_seconds = round(max(self.oldest_seconds, seen.age), 3)
        self.newest_seconds = round(seen.age if self.newest_seconds is None else min(self.newest_seconds, seen.age), 3)


@dataclass(slots=True)
class Held:
    """What a living worker holds, and what therefore stays."""

    worker: str
    batches: int = 0
    points: int = 0


class Chosen:
    """Marks of batches in one stream, in order, in 36 bytes each: a lane may hold a million."""

    def __init__(self, lane: "Lane", *, dead: bool) -> None:
        self.lane = lane
        self.dead = dead
        self._milliseconds, self._numbers, self._points, self._places = array("Q"), array("Q"), array("Q"), array("L")
        self._shared: dict[tuple[State, str | None], int] = {}

    def add(self, mark: Mark) -> None:
        """Add a batch behind those that are there."""
        milliseconds, number = id_parts(mark.id)
        self._milliseconds.append(milliseconds)
        self._numbers.append(number)
        self._points.append(mark.points)
        self._places.append(self._shared.setdefault((mark.state, mark.holder), len(self._shared)))

    def __len__(self) -> int:
        """How many batches."""
        return len(self._points)

    def __iter__(self) -> Iterator[Mark]:
        """The batches."""
        shared = list(self._shared)
        for row in zip(self._milliseconds, self._numbers, self._points, self._places, strict=True):
            milliseconds, number, points, place = row
            yield Mark(f"{milliseconds}-{number}", points, *shared[place])

    @property
    def points(self) -> int:
        """Points of all of them."""
        return sum(self._points)

    @property
    def span(self) -> Span:
        """From the first to the last."""
        first, last = (f"{self._milliseconds[i]}-{self._numbers[i]}" for i in (0, -1))
        return Span(first, last, self.dead)


@dataclass(slots=True)
class Preview:
    """What would go, and what would stay."""

    chosen: list[Chosen] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def batches(self) -> int:
        """Batches that would go."""
        return sum(len(each) for each in self.chosen)

    @property
    def points(self) -> int:
        """Points that would go."""
        return sum(each.points for each in self.chosen)


@dataclass(slots=True)
class Removed:
    """What became of it."""

    batches: int = 0
    points: int = 0
    taken_batches: int = 0
    """A worker took them since they were seen, so they stay."""
    taken_points: int = 0
    gone_batches: int = 0
    """They were stored or removed by someone else since they were seen."""
    gone_points: int = 0
    export: Path | None = None

    def count(self, mark: Mark, result: int) -> None:
        """Add what the server said of a batch: 1, 0 or -1, as in `queue.removal`."""
        match result:
            case 1:
                self.batches, self.points = self.batches + 1, self.points + mark.points
            case 0:
                self.gone_batches, self.gone_points = self.gone_batches + 1, self.gone_points + mark.points
            case _:
                self.taken_batches, self.taken_points = self.taken_batches + 1, self.taken_points + mark.points


class Purge:
    """One purge, step by step. Every step raises RedisError where Redis goes away."""

    def __init__(self, redis: "Redis", url: str, prefix: str, criteria: Criteria, tell: Tell = lambda *_: None) -> None:
        self._redis = redis
        self._url = url
        self._criteria = criteria
        self._tell = tell
        self._browser = Browser(redis, url)
        self._heartbeats = Heartbeats(redis, url, prefix)
        self._audit = Audit(redis, url, prefix)

    async def preview(self) -> Preview:
        """Choose the batches; nothing is changed."""
        workers = await living(self._heartbeats)
        preview = Preview()
        for lane in self._criteria.lanes:
            chosen = {dead: Chosen(lane, dead=dead) for dead in (False, True)}
            shares: dict[State, Share] = {}
            async for seen in self._meant(lane):
                if seen.holder in workers and not self._criteria.force:
                    _hold(preview.held, seen)
                    continue
                chosen[seen.state == "dead"].add(Mark(seen.id, seen.points, seen.state, seen.holder))
                shares.setdefault(seen.state, Share(lane.kind.name, lane.shard, seen.state)).count(seen)
                self._tell("looking", preview.batches + len(chosen[False]) + len(chosen[True]), 0)
            preview.chosen += [each for each in chosen.values() if len(each)]
            preview.shares += shares.values()
        return preview

    async def carry_out(self, preview: Preview, path: Path | None) -> Removed:
        """Export to `path`, where there is one, then remove what the preview chose and is still as it was seen.

        Nothing is removed that is not in the export, on the disk. Stopped in between, it has removed less than it exported.
        """
        removed = Removed(export=path)
        chosen = await self._unheld(preview.chosen, removed)
        if path is not None:
            chosen = await self._export(chosen, path, removed)
        line = self._line(path, preview.batches, preview.points, "begun")
        begun = await self._audit.write(line)
        try:
            await self._remove(chosen, removed)
        except BaseException:
            await self._record(line, removed, "stopped", begun)
            raise
        await self._record(line, removed, "done", begun)
        return removed

    async def _meant(self, lane: "Lane") -> AsyncGenerator[Seen, None]:
        async with aclosing(self._browser.walk(lane, self._criteria.states, frames=False)) as entries:
            async for seen in entries:
                if self._criteria.fits(seen):
                    yield seen

    async def _unheld(self, chosen: Sequence[Chosen], removed: Removed) -> list[Chosen]:
        """Without what a worker holds that lives by now: it began, or beats again, since the preview looked."""
        workers = frozenset() if self._criteria.force else await living(self._heartbeats)
        left = []
        for each in chosen:
            left.append(rest := Chosen(each.lane, dead=each.dead))
            for mark in each:
                if mark.holder in workers:
                    removed.count(mark, -1)
                else:
                    rest.add(mark)
        return [each for each in left if len(each)]

    async def _export(self, chosen: Sequence[Chosen], path: Path, removed: Removed) -> list[Chosen]:
        """Write what is still there; which that is."""
        total = sum(map(len, chosen))
        states = self._criteria.states
        with Export(path, self._criteria.kind, states[0] if len(states) == 1 else "all") as export:
            kept = [await self._export_stream(each, export, total, removed) for each in chosen]
            export.finish()
        return kept

    async def _export_stream(self, chosen: Chosen, export: Export, total: int, removed: Removed) -> Chosen:
        kept = Chosen(chosen.lane, dead=chosen.dead)
        marks = iter(chosen)
        mark = next(marks, None)
        async with aclosing(self._browser.between(chosen.lane, chosen.span)) as entries:
            async for seen in entries:
                while mark is not None and id_parts(mark.id) < id_parts(seen.id):
                    removed.count(mark, 0)
                    mark = next(marks, None)
                if mark is None or mark.id != seen.id:
                    continue
                if seen.holder == mark.holder or self._criteria.force:
                    export.add(from_seen(seen))
                    kept.add(mark)
                    self._tell("exporting", export.batches, total)
                else:
                    removed.count(mark, -1)
                mark = next(marks, None)
        while mark is not None:
            removed.count(mark, 0)
            mark = next(marks, None)
        return kept

    async def _remove(self, chosen: Sequence[Chosen], removed: Removed) -> None:
        total = sum(len(each) for each in chosen)
        for each in chosen:
            step = remove(self._redis, self._url, each.lane, each, dead=each.dead, force=self._criteria.force)
            async with aclosing(step) as results:
                async for mark, result in results:
                    removed.count(mark, result)
                    self._tell("removing", removed.batches, total)

    def _line(self, path: Path | None, batches: int, points: int, outcome: str) -> AuditLine:
        at = clock.now()
        criteria, export = self._criteria, None if path is None else str(path.absolute())
        states, filters = criteria.states, criteria.filters
        return AuditLine(at, author(), "purge", criteria.kind, states, filters, batches, points, export, outcome)

    async def _record(self, line: AuditLine, removed: Removed, outcome: str, begun: str) -> None:
        line = replace(line, batches=removed.batches, points=removed.points, outcome=outcome)
        what = {"kind": line.kind, "states": ",".join(line.states), "filters": line.filters, "export": line.export}
        extra = {name: value for name, value in what.items() if value is not None}
        log.warning("%s purged %d batches of %d points: %s", line.by, line.batches, line.points, outcome, extra=extra)
        try:
            await self._audit.write(line, replaces=begun)
        except RedisError as exc:
            # the line that it was begun stays
            log.warning("the record of this purge could not be completed: %s", exc)


def _hold(held: list[Held], seen: Seen) -> None:
    worker = seen.holder or ""
    entry = next((each for each in held if each.worker == worker), None)
    if entry is None:
        held.append(entry := Held(worker))
    entry.batches += 1
    entry.points += seen.points
