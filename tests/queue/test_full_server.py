"""A server without memory refuses new batches, and can still be emptied."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from pointq.errors import RedisError
from pointq.points.kinds import LIVE
from pointq.queue.connection import connect
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from tests.queue.books import books, put, reclaim, stored, take
from tests.queue.servers import valkey

LANE = Lane.of(LIVE)


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    with valkey(**{"maxmemory-policy": "noeviction"}) as url:
        client = connect(url)
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

    await heartbeats.beat(Heartbeat("w", "host", 1, (1,), 0.0, 0, "running", now))

    assert [beat.id for beat in await heartbeats.read()] == ["w"]
