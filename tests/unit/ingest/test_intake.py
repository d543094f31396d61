"""Which way points go, and how long a request waits to find out."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest

from pointq.aio import Backoff
from pointq.errors import BackendError, RedisError, SpoolError
from pointq.ingest.breaker import Breaker, State
from pointq.ingest.intake import Declined, Intake, Parcel, Route, Unavailable, Via, parcels_of
from pointq.points import frame
from pointq.points.batch import PointBatch, concat
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE
from pointq.queue.lanes import Lane

BATCH = PointBatch(
    LIVE,
    (Flight.of("live", "a"),),
    np.zeros(2, np.int32),
    {"time": np.array([1, 2]), "lat": np.array([45.0, 46.0]), "lon": np.array([6.0, 7.0])},
)
PARCELS = [Parcel(Lane.of(LIVE), frame.encode(BATCH), 2, BATCH)]


def test_more_points_than_a_frame_holds_take_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "MAX_POINTS", 10)
    batch = PointBatch(
        LIVE,
        (Flight.of("live", "a"),),
        np.zeros(25, np.int32),
        {"time": np.arange(25), "lat": np.full(25, 45.0), "lon": np.full(25, 6.0)},
    )

    parcels = parcels_of(batch, [Lane.of(LIVE)])

    assert [parcel.points for parcel in parcels] == [10, 10, 5]
    assert concat([frame.decode(parcel.frame) for parcel in parcels]).equals(batch)
    assert parcels_of(batch.only(np.arange(0)), [Lane.of(LIVE)]) == []


class ScriptedWay:
    """Does what it is told: take, fail, or hang."""

    def __init__(self, via: Via) -> None:
        self._via = via
        self.failure: BackendError | None = None
        self.hangs = False
        self.took = 0
        self.asked = 0

    @property
    def via(self) -> Via:
        return self._via

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:  # noqa: ARG002 - the protocol's
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure
        self.took += len(parcels)


class Ways:
    """The three ways behind their breakers, under a clock that the test moves."""

    def __init__(self, budget: float = 2.0) -> None:
        self.now = 100.0
        self.queue, self.database, self.spool = (ScriptedWay(via) for via in Via)
        self.routes = [Route(way, self._breaker()) for way in (self.queue, self.database, self.spool)]
        self.intake = Intake(self.routes, budget=budget)

    def _breaker(self) -> Breaker:
        backoff = Backoff(1.0, 8.0, random=lambda: 1.0)
        return Breaker(failures=2, backoff=backoff, clock=lambda: self.now, wall=lambda: self.now)


@pytest.fixture
def ways() -> Ways:
    return Ways()


async def test_the_queue_is_the_first_way(ways: Ways) -> None:
    assert await ways.intake.accept(PARCELS) is Via.QUEUE
    assert (ways.queue.took, ways.database.asked, ways.spool.asked) == (1, 0, 0)


async def test_a_failed_request_goes_the_next_way_itself(ways: Ways) -> None:
    ways.queue.failure = RedisError("out of memory")

    assert await ways.intake.accept(PARCELS) is Via.DATABASE
    ways.database.failure = BackendError("gone")
    assert await ways.intake.accept(PARCELS) is Via.SPOOL


async def test_an_open_breaker_spares_the_others_the_try_until_one_probes(ways: Ways) -> None:
    ways.queue.failure = RedisError("gone")
    for _ in range(5):
        assert await ways.intake.accept(PARCELS) is Via.DATABASE
    assert ways.queue.asked == 2
    assert (ways.intake.going.via, ways.intake.going.since, ways.intake.going.reason) == (Via.DATABASE, 100.0, "gone")

    ways.now += 1.1
    ways.queue.failure = None
    assert await ways.intake.accept(PARCELS) is Via.QUEUE
    assert ways.intake.going.via is Via.QUEUE


async def test_a_way_that_hangs_costs_its_share_once() -> None:
    ways = Ways(budget=0.2)
    ways.queue.hangs = True

    assert await ways.intake.accept(PARCELS) is Via.DATABASE
    assert ways.routes[0].breaker.state is State.OPEN
    assert await ways.intake.accept(PARCELS) is Via.DATABASE
    assert ways.queue.asked == 1


async def test_a_way_that_declines_some_points_stays_open_for_others(ways: Ways) -> None:
    ways.queue.failure = RedisError("gone")
    ways.database.failure = Declined("the database refuses a point: too high")
    for _ in range(5):
        assert await ways.intake.accept(PARCELS) is Via.SPOOL
    assert ways.database.asked == 5

    ways.database.failure = None
    assert await ways.intake.accept(PARCELS) is Via.DATABASE


async def test_all_ways_closed_is_said_with_each_reason(ways: Ways) -> None:
    ways.queue.failure = RedisError("no Redis")
    ways.database.failure = BackendError("no database")
    ways.spool.failure = SpoolError("the spool is full")

    for _ in range(3):
        with pytest.raises(Unavailable, match="queue: no Redis; database: no database; spool: the spool is full"):
            await ways.intake.accept(PARCELS)


async def test_it_is_told_since_when_points_go_the_way_they_go(ways: Ways) -> None:
    async def fails(way: ScriptedWay, at: float) -> tuple[Via, float, bool]:
        ways.now, way.failure = at, BackendError("gone")
        for _ in range(2):
            with suppress(Unavailable):
                await ways.intake.accept(PARCELS)
        going = ways.intake.going
        return going.via, going.since, going.is_open

    assert await fails(ways.queue, 110.0) == (Via.DATABASE, 110.0, True)
    assert await fails(ways.database, 110.5) == (Via.SPOOL, 110.5, True)
    assert await fails(ways.spool, 110.9) == (Via.SPOOL, 110.9, False)


async def test_nothing_is_open_only_when_every_breaker_is(ways: Ways) -> None:
    for way in (ways.queue, ways.database, ways.spool):
        way.failure = BackendError("gone")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await ways.intake.accept(PARCELS)

    assert not ways.intake.going.is_open


async def test_a_cancelled_probe_lets_the_next_one_try() -> None:
    ways = Ways(budget=30)
    ways.queue.failure = RedisError("gone")
    for _ in range(2):
        await ways.intake.accept(PARCELS)
    ways.now += 1.1
    ways.queue.hangs = True
    probe = asyncio.create_task(ways.intake.accept(PARCELS))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    ways.queue.hangs, ways.queue.failure = False, None

    assert await ways.intake.accept(PARCELS) is Via.QUEUE


async def test_probing_without_points_opens_the_queue_again(ways: Ways) -> None:
    ways.queue.failure = RedisError("gone")
    for _ in range(2):
        await ways.intake.accept(PARCELS)
    ways.queue.failure = None
    await ways.intake.probe()
    assert ways.routes[0].breaker.state is State.OPEN  # too early

    ways.now += 1.1
    await ways.intake.probe()
    assert ways.intake.going.via is Via.QUEUE
    assert ways.queue.took == 0
