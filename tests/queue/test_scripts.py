"""Each step of a batch through a lane, on a real server."""

from typing import Any

from redis.asyncio import Redis

from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.producer import Append, Producer
from tests.queue.books import books, put, reclaim, stored, take


async def test_an_appended_batch_is_ready(producer: Producer, redis: Redis, lane: Lane) -> None:
    await producer.enqueue([Append(lane, b"frame", 3, rejected=2), Append(lane, b"frame", 4)])

    found = await books(redis, lane)
    assert (found.ready_batches, found.ready_points, found.accepted_points, found.rejected_points) == (2, 7, 7, 2)
    assert found.oldest_age is not None
    assert found.oldest_age < 60


async def test_a_lane_that_never_was_has_nothing(redis: Redis, consumer: Consumer, lane: Lane) -> None:
    assert await consumer.read(lane, 10) == ([], "0-0")
    assert await reclaim(consumer, lane) == []
    assert await consumer.waiting(lane) == 0
    assert (await books(redis, lane)).oldest_age is None


async def test_reading_moves_points_to_pending(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    ids = await put(producer, lane, 3, 4)

    entries, last = await consumer.read(lane, 100)

    assert [(e.id, e.points, e.frame, e.deliveries) for e in entries] == [(ids[0], 3, b"frame", 1), (ids[1], 4, b"frame", 1)]
    assert last == ids[1]
    found = await books(redis, lane)
    assert (found.ready_points, found.pending_points, found.pending_batches) == (0, 7, 2)


async def test_reading_takes_about_as_many_points_as_asked_for(producer: Producer, consumer: Consumer, lane: Lane) -> None:
    await put(producer, lane, *[100] * 50)

    assert sum(e.points for e in await take(consumer, lane, 1_000)) == 1_000
    assert len(await take(consumer, lane, 1)) == 1


async def test_a_small_batch_does_not_fetch_hundreds_of_large_ones(producer: Producer, consumer: Consumer, lane: Lane) -> None:
    await put(producer, lane, 1, *[10_000] * 100)

    assert sum(e.points for e in await take(consumer, lane, 20_000)) <= 100_000


async def test_reading_and_reclaiming_are_bounded_by_entries_too(
    producer: Producer, consumer: Consumer, other: Consumer, lane: Lane
) -> None:
    await put(producer, lane, *[1] * 2_500)

    assert len(await take(consumer, lane, 20_000)) == 2_000
    assert len(await reclaim(other, lane)) == 100


async def test_reclaiming_takes_about_as_many_points_as_asked_for(
    producer: Producer, consumer: Consumer, other: Consumer, lane: Lane
) -> None:
    await put(producer, lane, *[10_000] * 20)
    await take(consumer, lane, 200_000)

    assert sum(e.points for e in await reclaim(other, lane, 20_000)) == 20_000


async def test_reclaiming_sees_the_whole_list_by_its_cursor(
    producer: Producer, consumer: Consumer, other: Consumer, lane: Lane
) -> None:
    ids = await put(producer, lane, *[10] * 30)
    await take(consumer, lane)

    seen, cursor = await other.reclaim(lane, 0, 100)
    while cursor != "0-0":
        more, cursor = await other.reclaim(lane, 0, 100, cursor)
        seen += more

    assert [entry.id for entry in seen] == ids


async def test_reclaiming_tells_who_held_each_batch_and_how_often_it_was_handed_out(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, redis_url: str, lane: Lane
) -> None:
    await put(producer, lane, *[10] * 30)
    first, second = await take(consumer, lane, 150), await take(other, lane, 150)
    third = Consumer(redis, redis_url, "three")

    taken = await reclaim(third, lane)

    assert [(e.id, e.former, e.deliveries) for e in taken] == [
        *((e.id, "one", 2) for e in first),
        *((e.id, "two", 2) for e in second),
    ]
    assert {e.former for e in first + second} == {None}
    assert {(e.former, e.deliveries) for e in await reclaim(consumer, lane)} == {("three", 3)}


async def test_reclaiming_finds_the_owner_behind_many_that_are_kept_alive_or_deleted(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    ids = await put(producer, lane, *[10] * 60)
    await take(consumer, lane)
    await redis.xclaim(lane.stream, GROUP, consumer.name, 0, [*ids], idle=60_000, justid=True)
    await consumer.keep_alive(lane, ids[:35])
    await redis.xdel(lane.stream, *ids[35:48])

    entries, cursor = await other.reclaim(lane, 30, 20_000)

    assert [(e.id, e.former, e.deliveries) for e in entries] == [(i, "one", 2) for i in ids[48:]]
    assert cursor == "0-0"


async def test_waiting_ends_with_a_batch_that_came_meanwhile(producer: Producer, consumer: Consumer, lane: Lane) -> None:
    _, last = await consumer.read(lane, 1)
    await put(producer, lane, 1)

    assert await consumer.wait({lane.stream: last}, 10)
    assert len(await take(consumer, lane)) == 1


async def test_waiting_does_not_end_with_what_others_hold(
    producer: Producer, consumer: Consumer, other: Consumer, lane: Lane
) -> None:
    await put(producer, lane, 1)
    await take(other, lane)

    entries, last = await consumer.read(lane, 1)

    assert entries == []
    assert not await consumer.wait({lane.stream: last}, 0.01)


async def test_a_long_wait_ends_before_the_clients_patience_does(consumer: Consumer, lane: Lane) -> None:
    assert not await consumer.wait({lane.stream: "0-0"}, 60)


async def test_a_completed_batch_is_gone_and_counted(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    ids = await put(producer, lane, 3, 4)
    entries = await take(consumer, lane)
    assert await producer.remaining(lane, ids) == 2

    assert await consumer.complete(lane, stored(entries, duplicates=2)) == 2

    assert await producer.remaining(lane, ids) == 0
    found = await books(redis, lane)
    assert (found.stored_points, found.duplicate_points, found.pending_points) == (5, 2, 0)
    assert found.completed_at is not None


async def test_many_batches_can_be_asked_for_at_once(producer: Producer, lane: Lane) -> None:
    ids = await put(producer, lane, *[1] * 450)

    assert await producer.remaining(lane, ids) == 450
    assert await producer.remaining(lane, []) == 0


async def test_completing_twice_counts_once(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 3)
    outcome = stored(await take(consumer, lane))

    assert [await consumer.complete(lane, outcome), await consumer.complete(lane, outcome)] == [1, 0]
    assert (await books(redis, lane)).stored_points == 3


async def test_two_workers_with_the_same_batches_count_each_once(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3, 4, 5)
    mine = await take(consumer, lane)
    theirs = await reclaim(other, lane)
    assert [e.deliveries for e in theirs] == [2, 2, 2]
    await other.complete(lane, stored(theirs[:1]))

    # the first worker was only slow: of its twelve points it stored five
    assert await consumer.complete(lane, stored(mine, duplicates=7)) == 2
    assert await other.complete(lane, stored(theirs[1:])) == 0

    found = await books(redis, lane)
    assert (found.stored_points + found.duplicate_points, found.pending_points) == (12, 0)


async def test_a_dead_letter_carries_all_there_is_to_know(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    await take(consumer, lane)
    (entry,) = await reclaim(other, lane)
    letter = DeadLetter(entry, b"one bad point", 1, "23514", "violates check constraint")

    await other.complete(lane, Outcome([entry], 2, 0, [letter]))

    letters: Any = await redis.xrange(lane.dead)
    ((_, fields),) = letters
    first_seen, last_seen = float(fields.pop(b"first_seen")), float(fields.pop(b"last_seen"))
    assert first_seen == int(entry.id.partition("-")[0]) / 1000
    assert first_seen <= last_seen + 0.001
    assert fields == {
        b"n": b"1",
        b"f": b"one bad point",
        b"queue": lane.stream.encode(),
        b"id": entry.id.encode(),
        b"deliveries": b"2",
        b"sqlstate": b"23514",
        b"message": b"violates check constraint",
    }
    found = await books(redis, lane)
    assert (found.stored_points, found.dead_points, found.dead_batches) == (2, 1, 1)


async def test_the_letters_of_a_batch_that_another_completed_are_not_written(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    (entry,) = await take(consumer, lane)
    outcome = Outcome([entry], 2, 0, [DeadLetter(entry, b"bad", 1, "22003", "out of range")])

    assert await other.complete(lane, outcome) == 1
    assert await consumer.complete(lane, outcome) == 0

    assert (await books(redis, lane)).dead_batches == 1


async def test_what_is_kept_alive_is_not_reclaimed(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    ids = await put(producer, lane, 3, 4)
    await take(consumer, lane)
    await redis.xclaim(lane.stream, GROUP, consumer.name, 0, [*ids], idle=60_000, justid=True)

    assert await consumer.keep_alive(lane, ids[:1]) == 1

    entries, _ = await consumer.reclaim(lane, 30, 100)
    assert [entry.id for entry in entries] == ids[1:]


async def test_keeping_alive_takes_nothing_back(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    ids = await put(producer, lane, 3, 4)
    await take(consumer, lane)
    await reclaim(other, lane)

    assert await consumer.keep_alive(lane, ids) == 0
    assert await other.keep_alive(lane, ids) == 2
    assert (await redis.xpending_range(lane.stream, GROUP, "-", "+", 10))[0]["times_delivered"] == 2


async def test_thousands_of_batches_are_kept_alive(producer: Producer, consumer: Consumer, lane: Lane) -> None:
    ids = await put(producer, lane, *[1] * 1_500)
    await take(consumer, lane, 1_500)

    assert await consumer.keep_alive(lane, ids) == 1_500


async def test_a_worker_leaves_only_with_empty_hands(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    entries = await take(consumer, lane)
    await take(other, lane)

    for worker in (consumer, other):
        await worker.leave(lane, 3600)
    assert [info["name"] for info in await redis.xinfo_consumers(lane.stream, GROUP)] == [b"one"]

    await consumer.complete(lane, stored(entries))
    await consumer.leave(lane, 3600)
    assert await redis.xinfo_consumers(lane.stream, GROUP) == []


async def test_workers_silent_for_long_are_removed(consumer: Consumer, other: Consumer, redis: Redis, lane: Lane) -> None:
    await take(other, lane)
    await take(consumer, lane)

    await consumer.leave(lane, -1)

    assert await redis.xinfo_consumers(lane.stream, GROUP) == []


async def test_leaving_a_lane_that_never_was(consumer: Consumer, redis: Redis, lane: Lane) -> None:
    await consumer.leave(lane, 0)

    assert not await redis.exists(lane.stream)


async def test_an_entry_of_another_form_is_handed_out_as_no_frame(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 3)
    await redis.xadd(lane.stream, {"hello": "4.5"})
    await put(producer, lane, 4)

    assert [(e.points, e.frame) for e in await take(consumer, lane)] == [(3, b"frame"), (0, b""), (4, b"frame")]
    assert [(e.points, e.frame) for e in await reclaim(other, lane)] == [(3, b"frame"), (0, b""), (4, b"frame")]
