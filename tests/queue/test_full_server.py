"""A server without memory refuses new batches, and can still be emptied."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from pointq.errors import RedisError
from pointq.points.kinds import LIVE
from pointq.queue.audit import Audit, AuditLine
from pointq.queue.browse import STATES, Browser
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from pointq.queue.removal import Mark, remove
from tests.queue.books import books, put, reclaim, stored, take
from tests.queue.servers import valkey
from tests.support.clients import patient

LANE = Lane.of(LIVE)


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    with valkey(**{"maxmemory-policy": "noeviction"}) as url:
        client = patient(url)
        yield client
        await client.aclose()


@pytest.fixture
def producer(redis: Redis) -> Producer:
    return Producer(redis, "", Acknowledgement())


async def fill(redis: Redis) -> None:
    """Let the server have less than it uses."""
    await redis.config_set("maxmemory", "1mb")
    with pytest.raises(OutOfMemoryError):
        await redis.set("no", "room")


async def test_new_batches_are_refused_and_not_counted(redis: Redis, producer: Producer) -> None:
    await put(producer, LANE, 3)
    await fill(redis)

    with pytest.raises(RedisError, match="maxmemory"):
        await put(producer, LANE, 4, 5)

    assert (await books(redis, LANE)).accepted_points == 3


async def test_what_is_there_can_be_read_kept_reclaimed_stored_and_buried(redis: Redis, producer: Producer) -> None:
    one, two = Consumer(redis, "", "one"), Consumer(redis, "", "two")
    ids = await put(producer, LANE, 3, 4, 5)
    await fill(redis)

    entries = await take(one, LANE)
    assert await one.keep_alive(LANE, ids) == 3
    taken = await reclaim(two, LANE, 1)
    assert [entry.points for entry in taken] == [3]
    letter = DeadLetter(taken[0], b"bad", 1, "22003", "out of range")
    assert await two.complete(LANE, Outcome(taken, 2, 0, [letter])) == 1
    assert await one.complete(LANE, stored(entries[1:])) == 2
    await two.leave(LANE, 3600)

    found = await books(redis, LANE)
    assert (found.stored_points, found.dead_points, found.ready_points, found.pending_points) == (11, 1, 0, 0)


async def test_a_worker_may_start_on_a_full_server(redis: Redis, producer: Producer) -> None:
    await put(producer, LANE, 3)
    await fill(redis)
    await redis.script_flush()

    entries = await take(Consumer(redis, "", "late"), LANE)

    assert [entry.points for entry in entries] == [3]


async def test_emptied_it_takes_batches_again(redis: Redis, producer: Producer) -> None:
    await fill(redis)
    with pytest.raises(RedisError):
        await producer.enqueue([Append(LANE, b"frame", 3)])
    await redis.config_set("maxmemory", "0")

    await producer.enqueue([Append(LANE, b"frame", 3)])

    assert (await books(redis, LANE)).ready_points == 3


async def test_a_worker_says_that_it_lives_on_a_full_server(redis: Redis) -> None:
    await fill(redis)
    heartbeats = Heartbeats(redis, "")
    now = await heartbeats.now()

    await heartbeats.beat(Heartbeat("w", "host", 1, (1,), ("live",), 0.0, 0, "running", now))

    assert [beat.id for beat in await heartbeats.read()] == ["w"]


async def test_it_can_be_looked_at_and_purged_and_that_is_on_record(redis: Redis, producer: Producer) -> None:
    consumer = Consumer(redis, "", "one")
    await put(producer, LANE, 3, 4, 5)
    (entry,) = await take(consumer, LANE, 1)
    await consumer.complete(LANE, Outcome([entry], 0, 0, [DeadLetter(entry, b"bad", 3, "22003", "out of range")]))
    await take(consumer, LANE, 1)
    await fill(redis)
    await redis.script_flush()

    marks = [Mark(s.id, s.points, s.state, s.holder) async for s in Browser(redis, "").walk(LANE, STATES)]
    for dead in (False, True):
        part = [mark for mark in marks if (mark.state == "dead") == dead]
        assert {result async for _, result in remove(redis, "", LANE, part, dead=dead)} == {1}
    line = AuditLine("2026-06-21T12:00:00Z", "me@host", "purge", "live", STATES, None, 3, 12, None, "done")
    await Audit(redis, "").write(line)

    assert (await books(redis, LANE)).purged_points == 12
    assert await Audit(redis, "").read() == [line]
