"""Looking at batches wherever they wait, one at a time; nothing is consumed."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pointq.ops import exports
from pointq.ops.asking import LOST_SECONDS
from pointq.ops.batches import Batch, from_seen, from_spool
from pointq.queue.browse import STATES, Browser, Seen, Span, State
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.measure import measure_all
from pointq.spool.look import look as look_into_spool

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

_PAGE_ENTRIES = 250


@dataclass(frozen=True, slots=True)
class Question:
    """Which batches to look at."""

    kinds: frozenset[str]
    states: frozenset[str]
    """``ready``, ``pending``, ``dead``, ``spool``."""
    ids: tuple[str, ...] = ()
    """These only, where any are named."""
    most: int | None = None
    """At most so many of each state of each lane, and of the spool."""

    @property
    def in_redis(self) -> tuple[State, ...]:
        """The states for which Redis must be asked."""
        return tuple(state for state in STATES if state in self.states)


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """What a lane holds in all."""

    kind: str
    shard: int
    pending_batches: int
    pending_points: int
    ready_batches: int
    ready_points: int
    dead_batches: int
    dead_points: int


async def counts(redis: "Redis", url: str, lanes: Sequence["Lane"]) -> list[LaneCounts]:
    """How much there is, for whoever looks at a part. Raises RedisError."""
    measures = await measure_all(redis, url, lanes)
    return [
        LaneCounts(
            lane.kind.name,
            lane.shard,
            m.pending_batches,
            m.pending_points,
            m.ready_batches,
            m.ready_points,
            m.dead_batches,
            m.dead_points,
        )
        for lane, m in zip(lanes, measures, strict=True)
    ]


async def living(heartbeats: Heartbeats) -> frozenset[str]:
    """The workers that beat. Raises RedisError."""
    now = await heartbeats.now()
    return frozenset(beat.id for beat in await heartbeats.read() if now - beat.at <= LOST_SECONDS)


async def in_queue(
    browser: Browser, lanes: Sequence["Lane"], question: Question, workers: Collection[str]
) -> AsyncIterator[Batch]:
    """The batches in Redis, lane by lane, what workers hold first and dead letters last. Raises RedisError."""
    for lane in lanes:
        async for seen in _of_lane(browser, lane, question):
            yield from_seen(seen, workers)


async def _of_lane(browser: Browser, lane: "Lane", question: Question) -> AsyncGenerator[Seen, None]:
    spans = await browser.spans(lane)
    for state in question.in_redis:
        parts = [Span(i, i, spans[state].dead) for i in question.ids] or [spans[state]]
        left = question.most
        for part in parts:
            async with aclosing(browser.between(lane, part, page_entries=min(left or _PAGE_ENTRIES, _PAGE_ENTRIES))) as entries:
                async for seen in entries:
                    # where it is now: what was ready when the walk began may be pending; an id is looked for in both places
                    if seen.state not in question.states or (question.ids and seen.state != state):
                        continue
                    yield seen
                    left = None if left is None else left - 1
                    if left == 0:
                        break
            if left == 0:
                break


def in_spool(root: Path, question: Question) -> Iterator[Batch]:
    """The batches in the spool of this machine's data folder. Raises SpoolError."""
    now = time.time()
    found = (from_spool(spooled, now) for spooled in look_into_spool(root))
    return islice((batch for batch in found if _is_meant(batch, question)), question.most)


def in_export(path: Path, question: Question) -> Iterator[Batch]:
    """The batches of an export file. Raises FormatError."""
    chosen = (batch for batch in exports.read(path) if _is_meant(batch, question) and batch.state in question.states)
    return islice(chosen, question.most)


def _is_meant(batch: Batch, question: Question) -> bool:
    """By kind and id; a damaged record that does not tell its kind may be of any."""
    return (batch.kind is None or batch.kind in question.kinds) and (not question.ids or batch.id in question.ids)
