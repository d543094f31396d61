"""Removing batches: exactly those that are as they were seen, and the counters stay exact."""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from pointq.queue.audit import KEPT, Audit, AuditLine
from pointq.queue.browse import STATES, Browser
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.producer import Producer
from pointq.queue.removal import Mark, remove
from tests.queue.books import books, put, reclaim, stored, take

LINE = AuditLine("2026-06-21T12:00:00Z", "me@host", "purge", "live", ("ready",), None, 1, 2, None, "done")


async def marks(redis: Redis, lane: Lane) -> list[Mark]:
    browser = Browser(redis, "")
    return [Mark(s.id, s.points, s.state, s.holder) async for s in browser.walk(lane, STATES, frames=False)]


async def purge(redis: Redis, lane: Lane, chosen: Iterable[Mark], *, force: bool = False) -> list[int]:
    """Return what was said of each, those of the lane first."""
    chosen = list(chosen)
    results = []
    for dead in (False, True):
        part = [mark for mark in chosen if (mark.state == "dead") == dead]
        results += [result async for _, result in remove(redis, "", lane, part, dead=dead, force=force)]
    return results


async def bury(consumer: Consumer, lane: Lane) -> None:
    (entry,) = await take(consumer, lane, 1)
    await consumer.complete(lane, Outcome([entry], 0, 0, [DeadLetter(entry, b"bad", entry.points, "22003", "out")]))


async def test_batches_of_every_state(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 2)
    await bury(consumer, lane)
    await put(producer, lane, 3, 4, 5)
    await take(consumer, lane, 1)

    assert await purge(redis, lane, await marks(redis, lane)) == [1, 1, 1, 1]

    found = await books(redis, lane)
    assert (found.purged_points, found.ready_points, found.pending_points, found.dead_points) == (14, 0, 0, 0)
    assert found.accepted_points == 14


async def test_twice_is_once(producer: Producer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3, 4)
    chosen = await marks(redis, lane)

    assert [await purge(redis, lane, chosen[:1]), await purge(redis, lane, chosen)] == [[1], [0, 1]]
    assert (await books(redis, lane)).purged_points == 7


async def test_what_a_worker_took_since_stays(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3, 4, 5)
    chosen = await marks(redis, lane)
    first, second = await take(consumer, lane, 3), await take(consumer, lane, 4)
    await consumer.complete(lane, stored(first))

    assert await purge(redis, lane, chosen) == [0, -1, 1]

    assert await consumer.complete(lane, stored(second)) == 1
    found = await books(redis, lane)
    assert (found.stored_points, found.purged_points) == (7, 5)


async def test_what_a_living_worker_took_over_stays(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    await take(consumer, lane)
    chosen = await marks(redis, lane)
    await reclaim(other, lane)

    assert await purge(redis, lane, chosen) == [-1]
    assert (await books(redis, lane)).pending_points == 3


async def test_by_force_it_goes_whoever_has_it(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3, 4)
    chosen = await marks(redis, lane)
    held = await take(consumer, lane, 1)

    assert await purge(redis, lane, chosen, force=True) == [1, 1]

    # it was about to store them
    assert await consumer.complete(lane, stored(held)) == 0
    found = await books(redis, lane)
    assert (found.stored_points, found.purged_points, found.pending_points) == (0, 7, 0)


async def test_what_was_released_by_hand_can_be_removed(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane
) -> None:
    ids = await put(producer, lane, 3)
    await take(consumer, lane)
    await redis.xack(lane.stream, GROUP, *ids)

    assert await purge(redis, lane, await marks(redis, lane)) == [1]
    assert (await books(redis, lane)).purged_points == 3


async def test_what_came_in_since_is_not_touched(producer: Producer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3)
    chosen = await marks(redis, lane)
    await put(producer, lane, 4)

    await purge(redis, lane, chosen)

    assert (await books(redis, lane)).ready_points == 4


async def test_many_go_in_several_steps(producer: Producer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, *[1] * 450)

    assert await purge(redis, lane, await marks(redis, lane)) == [1] * 450
    assert (await books(redis, lane)).purged_points == 450


async def test_all_keys_lost_since(producer: Producer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3)
    chosen = await marks(redis, lane)
    await redis.delete(lane.stream, lane.counters, lane.rates, lane.dead)

    assert await purge(redis, lane, chosen) == [0]
    assert (await books(redis, lane)).purged_points == 0


async def test_nothing_at_all(redis: Redis, lane: Lane) -> None:
    assert await purge(redis, lane, []) == []


async def test_the_record_keeps_the_latest_lines(redis: Redis, redis_url: str, prefix: str) -> None:
    audit = Audit(redis, redis_url, prefix)
    begun = await audit.write(LINE)
    await audit.write(AuditLine(**{**_fields(LINE), "batches": 7}), replaces=begun)
    await audit.write(AuditLine(**{**_fields(LINE), "batches": 8}))

    assert [line.batches for line in await audit.read()] == [8, 7]
    assert [line.batches for line in await audit.read(1)] == [8]
    assert [key.decode() async for key in redis.scan_iter(match=f"{prefix}:*")] == [f"{prefix}:{{audit}}:log"]

    for _ in range(KEPT):
        await audit.write(LINE)
    assert {line.batches for line in await audit.read()} == {1}
    assert len(await audit.read()) == KEPT


async def test_a_newer_version_may_record_more(redis: Redis, redis_url: str, prefix: str) -> None:
    audit = Audit(redis, redis_url, prefix)
    await redis.xadd(f"{prefix}:{{audit}}:log", {"line": orjson.dumps({**_fields(LINE), "mood": "good"})})

    assert await audit.read() == [LINE]


def _fields(line: AuditLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in AuditLine.__slots__}


@pytest.mark.parametrize("force", [False, True])
async def test_an_error_of_the_server_is_raised(redis: Redis, lane: Lane, force: bool) -> None:  # noqa: FBT001
    await redis.set(lane.stream, "no stream")

    with pytest.raises(Exception, match="WRONGTYPE"):
        await purge(redis, lane, [Mark("1-0", 1, "ready", None)], force=force)
