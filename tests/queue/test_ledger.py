"""A server that comes back without its data gets its totals back from whoever heard them, and what waited there is counted."""

import itertools

import pytest
from redis.asyncio import Redis

from pointq.queue.browse import Browser
from pointq.queue.consumer import Consumer, DeadLetter, Entry, Outcome
from pointq.queue.lanes import Lane
from pointq.queue.ledger import Heard, Ledger
from pointq.queue.producer import Append, Producer
from pointq.queue.removal import Mark, remove
from pointq.queue.shelves import Shelves
from tests.queue.books import books, put, stored, take


async def wipe(redis: Redis, lane: Lane) -> None:
    """The lane's part of a lost disk."""
    await redis.delete(lane.stream, lane.counters, lane.rates, lane.dead)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "pointq.queue"]


async def half_done(producer: Producer, consumer: Consumer, lane: Lane) -> list[Entry]:
    """100 points stored, 20 duplicates, one dead letter of 3; 50 points held by a worker, 7 ready."""
    await producer.enqueue([Append(lane, b"frame", 123, rejected=2)])
    (entry,) = await take(consumer, lane)
    await consumer.complete(lane, Outcome([entry], 100, 20, [DeadLetter(entry, b"bad", 3, "22003", "out of range")]))
    await put(producer, lane, 50)
    held = await take(consumer, lane)
    await put(producer, lane, 7)
    return held


async def test_what_waited_in_a_lost_queue_is_counted(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    await half_done(producer, consumer, lane)
    await consumer.ledger.look([lane])
    await wipe(redis, lane)

    await consumer.ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.stored_points, found.duplicate_points, found.rejected_points) == (180, 100, 20, 2)
    assert (found.lost_points, found.dead_points, found.ready_points, found.pending_points) == (60, 0, 0, 0)
    assert found.lost_at is not None
    (line,) = said(caplog)
    assert "came back without its data: up to 60 accepted points" in line


@pytest.mark.parametrize("points", [0, 1_000], ids=["still empty", "in use again"])
async def test_it_is_noticed_whether_or_not_it_is_used_again(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane, points: int
) -> None:
    await put(producer, lane, 5)
    await consumer.ledger.look([lane])
    await wipe(redis, lane)
    if points:
        # more than was there before, by someone who never heard of it
        await Producer(redis, "", producer._acknowledgement).enqueue([Append(lane, b"frame", points)])

    await consumer.ledger.look([lane])

    found = await books(redis, lane)
    assert (found.lost_points, found.accepted_points) == (5, 5 + points)


async def test_an_append_alone_tells_what_is_needed(producer: Producer, redis: Redis, lane: Lane) -> None:
    await put(producer, lane, 5, 6)
    await wipe(redis, lane)
    await put(producer, lane, 2)

    await producer._ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.lost_points, found.ready_points) == (13, 11, 2)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_of_several_memories_the_latest_counts_in_whatever_order_they_come(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane, order: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    memories = [Ledger(redis, "") for _ in order]
    await put(producer, lane, 50)
    await memories[0].look([lane])
    await consumer.complete(lane, stored(await take(consumer, lane), duplicates=10))
    await memories[1].look([lane])
    await put(producer, lane, 9)
    await memories[2].look([lane])
    await wipe(redis, lane)
    await Producer(redis, "", producer._acknowledgement).enqueue([Append(lane, b"frame", 4)])

    for which in order * 2:
        await memories[which].look([lane])

    found = await books(redis, lane)
    figures = (found.accepted_points, found.stored_points, found.duplicate_points, found.lost_points, found.ready_points)
    assert figures == (63, 40, 10, 9, 4)
    assert all("came back without its data" in line for line in said(caplog))
    assert 1 <= len(said(caplog)) <= len(order), "once by each that knew more than was known"


async def test_a_second_loss_is_added_to_the_first(producer: Producer, redis: Redis, lane: Lane) -> None:
    for points in (5, 6):
        await put(producer, lane, points)
        await wipe(redis, lane)
        await producer._ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.lost_points) == (11, 11)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_who_missed_a_data_set_between_two_losses_counts_nothing_twice(
    producer: Producer, redis: Redis, lane: Lane, order: tuple[int, ...]
) -> None:
    """Three remember the first, one of them the second too, which has the first among its figures; one only the second."""
    ledgers = [Ledger(redis, "") for _ in range(4)]
    await put(producer, lane, 5)
    for ledger in ledgers[:3]:
        await ledger.look([lane])
    await wipe(redis, lane)
    await Producer(redis, "", producer._acknowledgement).enqueue([Append(lane, b"frame", 6)])
    # heard before the first is counted again there
    await ledgers[3].look([lane])
    await ledgers[2].look([lane])
    await ledgers[2].look([lane])
    await wipe(redis, lane)
    await Producer(redis, "", producer._acknowledgement).enqueue([Append(lane, b"frame", 7)])

    for which in order * 2:
        await ledgers[which].look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.lost_points, found.ready_points) == (18, 11, 7)


async def test_what_was_purged_is_not_lost(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    """What was heard before the purge does not count as later than what was heard behind it."""
    await half_done(producer, consumer, lane)
    await consumer.ledger.look([lane])
    for dead in (True, False):
        seen_there = Browser(redis, "").walk(lane, ("dead",) if dead else ("ready",))
        marks = [Mark(seen.id, seen.points, seen.state, seen.holder) async for seen in seen_there]
        assert [result async for _, result in remove(redis, "", lane, marks, dead=dead)] == [1]
        await consumer.ledger.look([lane])
    await wipe(redis, lane)

    await consumer.ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.stored_points, found.purged_points, found.lost_points) == (180, 100, 10, 50)


async def test_what_a_worker_still_held_is_not_lost(producer: Producer, consumer: Consumer, redis: Redis, lane: Lane) -> None:
    held = await half_done(producer, consumer, lane)
    await consumer.ledger.look([lane])
    await wipe(redis, lane)

    assert await consumer.complete(lane, stored(held, duplicates=1)) == 0
    assert await consumer.late(lane, stored(held, duplicates=1)) == 50

    found = await books(redis, lane)
    assert (found.stored_points, found.duplicate_points, found.lost_points) == (149, 21, 10)


async def test_what_another_completed_is_not_late(
    producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 5)
    await wipe(redis, lane)
    await producer._ledger.look([lane])
    await put(producer, lane, 6)
    held = await take(consumer, lane)
    await other.complete(lane, stored(held))

    assert await consumer.late(lane, stored(held)) == 0
    assert (await books(redis, lane)).lost_points == 5


async def test_where_nothing_waited_nothing_is_lost(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    await put(producer, lane, 5)
    await consumer.complete(lane, stored(await take(consumer, lane)))
    await wipe(redis, lane)

    await consumer.ledger.look([lane])

    assert (await books(redis, lane)).lost_points == 0
    assert said(caplog) == ["Redis came back without its data; as far as is known here, no accepted point waited there"]


async def test_answers_out_of_order_are_no_loss(producer: Producer, redis: Redis, lane: Lane) -> None:
    empty = Heard.of([None] * 12)
    await put(producer, lane, 5)
    producer._ledger.hear(lane, empty)

    await producer._ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.lost_points, found.lost_at) == (5, 0, None)


async def test_a_dead_letter_that_was_put_back_is_no_step_backwards(
    producer: Producer, consumer: Consumer, redis: Redis, lane: Lane
) -> None:
    """What was heard before the letter went back does not count as later than what was heard behind it."""
    await half_done(producer, consumer, lane)
    await consumer.ledger.look([lane])
    shelves = Shelves(redis, "")
    await shelves.put_back(lane, "dead", [await shelves.last(lane, "dead")])
    entries = await take(consumer, lane)
    assert [entry.points for entry in entries] == [7, 3]
    await consumer.complete(lane, stored(entries[:1]))
    await wipe(redis, lane)

    await consumer.ledger.look([lane])

    found = await books(redis, lane)
    assert (found.accepted_points, found.stored_points, found.lost_points) == (180, 107, 53)
