"""The reading half by itself, by a clock of the test."""

import asyncio
from dataclasses import dataclass

import pytest

from pointq.errors import RedisError
from pointq.queue.lanes import Lane
from pointq.work.lot import Lot
from pointq.work.reader import Reader
from tests.store.batches import batch_of
from tests.support.until import PATIENCE_SECONDS
from tests.work.crew import Crew, Watched


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def reader_of(crew: Crew, *kinds: str, clock: Clock, drain: bool = False, points: int = 10) -> Reader:
    consumer = Watched(crew.redis, crew.redis_url, "one")
    lanes = [crew.lane(kind) for kind in kinds]
    return Reader(consumer, lanes, points=points, block=0.01, drain=drain, clock=clock)


async def next_of(reader: Reader) -> Lot:
    async with asyncio.timeout(10):
        lot = await reader.next_lot()
    assert lot is not None
    return lot


async def complete(crew: Crew, reader: Reader, lot: Lot) -> None:
    await crew.redis.xack(lot.lane.stream, "pointq", *[entry.id for entry in lot.entries])
    await crew.redis.xdel(lot.lane.stream, *[entry.id for entry in lot.entries])
    reader.release(lot)


async def test_a_lane_is_not_read_while_a_lot_of_it_is_put_aside_or_tried_again(crew: Crew) -> None:
    clock = Clock()
    reader = reader_of(crew, "live", "upload", clock=clock)
    await crew.put(*(batch_of(10, start=10 * i) for i in range(5)))
    first = await next_of(reader)
    reader.park(first, 5.0)

    async def others() -> Lane:
        await crew.put(batch_of(10, kind=crew.lane("upload").kind))
        return (await next_of(reader)).lane

    assert await others() == crew.lane("upload")
    clock.now += 5.0
    assert await next_of(reader) is first
    # it is being tried again: its lane stays shut
    assert await others() == crew.lane("upload")
    reader.park(first, 5.0)
    clock.now += 5.0
    assert await next_of(reader) is first

    await complete(crew, reader, first)
    assert (await next_of(reader)).lane == crew.lane("live")


async def test_of_several_parked_lots_the_lane_opens_with_the_last(crew: Crew) -> None:
    clock = Clock()
    reader = reader_of(crew, "live", clock=clock)
    await crew.put(*(batch_of(10, start=10 * i) for i in range(3)))
    lots = [await next_of(reader) for _ in range(2)]
    for lot in lots:
        reader.park(lot, 1.0)
    clock.now += 1.0
    assert await next_of(reader) is lots[0]
    await complete(crew, reader, lots[0])

    assert await next_of(reader) is lots[1]
    await complete(crew, reader, lots[1])

    third = await next_of(reader)
    assert [entry.id for entry in third.entries] == list(reader.held[crew.lane("live")])


async def test_it_is_drained_when_nothing_is_ready_pending_or_held(crew: Crew) -> None:
    clock = Clock()
    reader = reader_of(crew, "live", clock=clock, drain=True)
    await crew.put(batch_of(10))
    lot = await next_of(reader)

    draining = asyncio.create_task(reader.next_lot())
    await complete(crew, reader, lot)

    async with asyncio.timeout(10):
        assert await draining is None


async def test_after_an_outage_everybody_may_first_say_what_he_works_on(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    reader = reader_of(crew, "live", clock=clock)
    consumer = Watched(crew.redis, crew.redis_url, "busy")
    await crew.put(batch_of(10))
    (entry,) = (await consumer.read(crew.lane("live"), 10))[0]
    await crew.redis.xclaim(crew.lane("live").stream, "pointq", "busy", 0, [entry.id], idle=60_000, justid=True)
    answers = reader._consumer.reclaim

    async def refuses(*_: object) -> None:
        monkeypatch.setattr(reader._consumer, "reclaim", answers)
        raise RedisError("away")

    monkeypatch.setattr(reader._consumer, "reclaim", refuses)
    await crew.put(batch_of(10, start=10))
    assert [e.former for e in (await next_of(reader)).entries] == [None]
    clock.now += 2.9
    await crew.put(batch_of(10, start=20))
    assert [e.former for e in (await next_of(reader)).entries] == [None]

    clock.now += 0.2
    assert [(e.id, e.former) for e in (await next_of(reader)).entries] == [(entry.id, "busy")]


async def test_stopping_ends_the_wait_at_once_and_any_call_after(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointq.queue.consumer._LONGEST_WAIT", 3600.0)
    reader = Reader(Watched(crew.redis, crew.redis_url, "one"), [crew.lane("live")], block=3600.0)
    waiting = asyncio.create_task(reader.next_lot())
    asyncio.get_running_loop().call_soon(reader.stop)

    async with asyncio.timeout(PATIENCE_SECONDS / 2):  # under that of the client, which would end the read
        assert await waiting is None
        await reader.stopped()
    await crew.put(batch_of(10))

    assert await reader.next_lot() is None


async def test_a_lot_that_takes_long_lets_other_lanes_in_and_waits_for_nothing(crew: Crew) -> None:
    clock = Clock()
    reader = reader_of(crew, "live", "upload", clock=clock)
    await crew.put(batch_of(10, kind=crew.lane("upload").kind))
    long = await next_of(reader)
    await crew.put(batch_of(10))

    reader.put_aside(long, 5.0)
    live = await next_of(reader)
    assert live.lane == crew.lane("live")
    await complete(crew, reader, live)

    # nothing else is there: it is back before its time
    assert await next_of(reader) is long
    reader.put_aside(long, 5.0)
    clock.now += 5.0
    await crew.put(batch_of(10, start=10))
    assert await next_of(reader) is long
