"""What the server may lose under a running producer and worker, and what it must never be asked."""

import pytest
from redis.asyncio import Redis

from pointq.points.kinds import KINDS
from pointq.queue.consumer import Consumer
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import GROUP, Lane, lanes_of
from pointq.queue.producer import Producer
from tests.queue.books import books, put, reclaim, stored, take
from tests.queue.servers import valkey
from tests.support.clients import patient
from tests.support.databases import keys


async def test_a_lost_group_is_made_again_and_nothing_is_skipped(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    await redis.xgroup_create(lane.stream, GROUP, "0")
    await redis.xgroup_destroy(lane.stream, GROUP)

    assert [entry.points for entry in await take(consumer, lane)] == [3]


async def test_all_keys_lost_under_a_worker(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    held = await take(consumer, lane)
    await redis.delete(lane.stream, lane.counters, lane.rates, lane.dead)

    assert await consumer.keep_alive(lane, [entry.id for entry in held]) == 0
    assert await reclaim(other, lane) == []
    assert await consumer.complete(lane, stored(held)) == 0
    assert await take(consumer, lane) == []
    await put(producer, lane, 4)
    assert await consumer.complete(lane, stored(await take(consumer, lane))) == 1

    assert (await books(redis, lane)).stored_points == 4


async def test_the_stream_alone_lost_under_a_worker(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3)
    held = await take(consumer, lane)
    await redis.delete(lane.stream)

    assert await consumer.keep_alive(lane, [entry.id for entry in held]) == 0
    assert await consumer.complete(lane, stored(held)) == 0
    await put(producer, lane, 4)
    assert [entry.points for entry in await take(consumer, lane)] == [4]


async def test_an_entry_deleted_by_hand_is_no_longer_pending(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    ids = await put(producer, lane, 3, 4)
    await take(consumer, lane)
    await redis.xdel(lane.stream, ids[0])

    assert [entry.id for entry in await reclaim(other, lane)] == ids[1:]
    pending = (await redis.hgetall(lane.counters))[b"pending_batches"]
    assert pending == b"1"


async def test_scripts_lost_under_a_producer_and_a_worker() -> None:
    with valkey() as url:
        redis = patient(url)
        lane = Lane.of(KINDS["live"])
        producer, consumer = Producer(redis, url, Acknowledgement()), Consumer(redis, url, "one")
        for _ in range(2):
            await redis.script_flush()
            ids = await put(producer, lane, 3, 4)
            await redis.script_flush()
            entries = await take(consumer, lane)
            await redis.script_flush()
            assert await consumer.keep_alive(lane, ids) == 2
            await redis.script_flush()
            assert await consumer.complete(lane, stored(entries)) == 2

        assert (await books(redis, lane)).stored_points == 14
        await redis.aclose()


@pytest.mark.parametrize("prefix_of_lane", ["pointq", "a:b"])
def test_every_key_of_a_lane_is_in_one_slot_of_a_cluster(prefix_of_lane: str) -> None:
    lanes = lanes_of(shards=3, prefix=prefix_of_lane)

    slots = [{_slot(key) for key in (lane.stream, lane.counters, lane.rates, lane.dead)} for lane in lanes]

    assert len(lanes) == 12
    assert all(len(found) == 1 for found in slots)
    assert len(set.union(*slots)) > 1


def test_the_slot_function_itself() -> None:
    # the specification's own check value, and its example of a hash tag
    assert _crc16(b"123456789") == 0x31C3
    assert _slot("{user1000}.following") == _slot("{user1000}.followers")


async def test_nothing_outside_the_prefix_is_touched(
    producer: Producer, consumer: Consumer, redis: Redis, redis_url: str, prefix: str, lane: Lane
) -> None:
    before = keys(redis_url)
    await put(producer, lane, 3)
    await consumer.complete(lane, stored(await take(consumer, lane)))
    await reclaim(consumer, lane)
    heartbeats = Heartbeats(redis, redis_url, prefix)
    await heartbeats.beat(Heartbeat("one", "host", 1, (1,), ("live",), 0.0, 0, "running", await heartbeats.now()))
    await consumer.leave(lane, 0)

    made = keys(redis_url) - before
    assert made
    assert all(key.startswith(f"{prefix}:") for key in made)


def _slot(key: str) -> int:
    """Return the slot that Redis Cluster puts a key into (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/)."""
    tag = key.partition("{")[2].partition("}")[0]
    return _crc16((tag or key).encode()) % 16384


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
