"""The books of a lane, and what must be true of them whatever happened."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from pointq.queue.consumer import Consumer, Entry, Outcome
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.measure import Measure, measure
from pointq.queue.producer import Append, Producer


async def put(producer: Producer, lane: Lane, *points: int) -> list[str]:
    """Append one entry for each number of points."""
    return await producer.enqueue([Append(lane, b"frame", count) for count in points])


async def take(consumer: Consumer, lane: Lane, points: int = 20_000) -> list[Entry]:
    """What a consumer reads."""
    return (await consumer.read(lane, points))[0]


async def reclaim(consumer: Consumer, lane: Lane, points: int = 20_000) -> list[Entry]:
    """What a consumer takes over of what others hold, however shortly."""
    return (await consumer.reclaim(lane, 0, points))[0]


def stored(entries: Sequence[Entry], duplicates: int = 0) -> Outcome:
    """All points of those entries stored, but for the duplicates."""
    return Outcome(entries, sum(entry.points for entry in entries) - duplicates, duplicates)


async def books(redis: Redis, lane: Lane) -> Measure:
    """Measure a lane; fail where its figures contradict each other or the stream."""
    found = await measure(redis, "", lane)
    waiting = found.ready_points + found.pending_points
    done = found.stored_points + found.duplicate_points + found.dead_points + found.purged_points
    assert found.accepted_points == done + waiting + found.lost_points
    assert min(found.ready_points, found.pending_points, found.ready_batches, found.pending_batches) >= 0
    assert min(found.stored_points, found.duplicate_points, found.dead_points, found.purged_points) >= 0
    assert await redis.xlen(lane.stream) == found.ready_batches + found.pending_batches
    assert await redis.xlen(lane.dead) == found.dead_batches
    await _check_retained(redis, lane)
    if await redis.exists(lane.stream) and await redis.xinfo_groups(lane.stream):
        assert (await redis.xpending(lane.stream, GROUP))["pending"] == found.pending_batches
    return found


async def _check_retained(redis: Redis, lane: Lane) -> None:
    kept: Any = await redis.xrange(lane.retained)
    counted: Any = await redis.hmget(lane.counters, ["retained_batches", "retained_points", "retained_bytes"])
    entries = [fields for _, fields in kept]
    found = (len(entries), sum(int(fields[b"n"]) for fields in entries), sum(len(fields[b"f"]) for fields in entries))
    assert tuple(int(value or 0) for value in counted) == found
