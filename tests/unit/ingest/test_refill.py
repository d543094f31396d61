"""What was spooled goes back into the queue when that is open, once, and nothing before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from pointq.aio import Backoff
from pointq.errors import RedisError
from pointq.ingest.breaker import Breaker
from pointq.ingest.intake import Intake, Parcel, Route, Via
from pointq.ingest.refill import Refill
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, UPLOAD, Kind
from pointq.queue.lanes import lanes_of
from pointq.queue.sharding import shard_of
from pointq.spool.record import Record
from pointq.spool.spool import Spool


class Queue:
    """The way back: closed or open."""

    via = Via.QUEUE

    def __init__(self) -> None:
        self.is_open = True
        self.parcels: list[Parcel] = []
        self.tried = asyncio.Event()
        self.taken = asyncio.Event()

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:  # noqa: ARG002 - the protocol's
        self.tried.set()
        if not self.is_open:
            raise RedisError("gone")
        self.parcels += parcels
        if parcels:
            self.taken.set()


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = await Spool.open(tmp_path / "spool")
    yield spool
    await spool.close()


def batch_of(kind: Kind, *flights: str) -> PointBatch:
    count = len(flights)
    columns = {"time": np.arange(count), "lat": np.full(count, 45.0), "lon": np.full(count, 6.0)}
    return PointBatch(kind, tuple(Flight.of(kind.name, f) for f in flights), np.arange(count, dtype=np.int32), columns)


def record_of(batch: PointBatch) -> Record:
    return Record(batch.kind.name, len(batch), frame.encode(batch), 1)


def refill_of(spool: Spool, queue: Queue, shards: int = 1) -> Refill:
    breaker = Breaker(failures=1, backoff=Backoff(0.001, 0.001))
    intake = Intake([Route(queue, breaker)])
    return Refill(spool, intake, lanes_of(shards=shards), points_per_second=1e9, look_seconds=0.005)


async def drained(spool: Spool) -> None:
    async with asyncio.timeout(10):
        while (await spool.stats()).records:  # noqa: ASYNC110 - files send no events
            await asyncio.sleep(0.002)


async def test_records_go_back_to_their_lanes_and_are_gone(spool: Spool) -> None:
    queue = Queue()
    batches = [batch_of(LIVE, "a", "b"), batch_of(UPLOAD, "c")]
    await spool.append([record_of(batch) for batch in batches])
    refill = refill_of(spool, queue)
    refill.start()
    refill.start()
    await drained(spool)
    await refill.stop()
    await refill.stop()

    assert [(p.lane.kind, p.points) for p in queue.parcels] == [(LIVE, 2), (UPLOAD, 1)]
    assert all(frame.decode(p.frame).equals(b) for p, b in zip(queue.parcels, batches, strict=True))


async def test_nothing_leaves_the_spool_while_the_queue_is_closed(spool: Spool) -> None:
    queue = Queue()
    queue.is_open = False
    await spool.append([record_of(batch_of(LIVE, "a"))])
    refill = refill_of(spool, queue)
    refill.start()
    for _ in range(3):
        await asyncio.wait_for(queue.tried.wait(), 5)
        queue.tried.clear()
    assert (await spool.stats()).points == 1

    queue.is_open = True
    await drained(spool)
    await refill.stop()
    assert [p.points for p in queue.parcels] == [1]


async def test_points_are_sharded_as_the_lanes_are_now(spool: Spool) -> None:
    queue = Queue()
    await spool.append([record_of(batch_of(LIVE, *"abcdefgh"))])
    refill = refill_of(spool, queue, shards=3)
    refill.start()
    await drained(spool)
    await refill.stop()

    assert sum(p.points for p in queue.parcels) == 8
    for parcel in queue.parcels:
        assert {shard_of(flight, 3) for flight in frame.decode(parcel.frame).flights} == {parcel.lane.shard}


async def test_a_frame_that_cannot_be_read_is_handed_on_as_it_is(spool: Spool) -> None:
    queue = Queue()
    await spool.append([Record("upload", 7, b"no frame", 1)])
    refill = refill_of(spool, queue)
    refill.start()
    await drained(spool)
    await refill.stop()

    (parcel,) = queue.parcels
    assert (parcel.lane.kind, parcel.frame, parcel.points, parcel.batch) == (UPLOAD, b"no frame", 7, None)
