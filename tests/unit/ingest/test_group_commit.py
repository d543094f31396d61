"""Who is sent together with whom, and what everyone is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import orjson
import pytest

from pointq.errors import RedisError
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.intake import Parcel, Via
from pointq.ingest.problems import Problem
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE
from pointq.queue.lanes import lanes_of

NOW_US = 1_782_043_200_000_000  # 2026-06-21T12:00:00Z
POINT: dict[str, Any] = {"lat": 45.0, "lon": 6.0, "datetime": "2026-06-21T11:59:00Z"}


class HeldIntake:
    """Keeps what is sent until it is let go, or fails it."""

    def __init__(self) -> None:
        self.sent: list[Sequence[Parcel]] = []
        self.rejected: list[int] = []
        self.held: list[asyncio.Future[Via]] = []
        self.arrived = asyncio.Event()

    async def accept(self, parcels: Sequence[Parcel], rejected: int = 0) -> Via:
        self.sent.append(parcels)
        self.rejected.append(rejected)
        held: asyncio.Future[Via] = asyncio.get_running_loop().create_future()
        self.held.append(held)
        self.arrived.set()
        return await held

    async def sending(self, count: int) -> None:
        """Wait until so many batches were sent."""
        while len(self.sent) < count:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)

    def let_go(self, number: int) -> None:
        self.held[number].set_result(Via.QUEUE)

    @property
    def points(self) -> list[int]:
        return [sum(parcel.points for parcel in parcels) for parcels in self.sent]


@asynccontextmanager
async def running(intake: HeldIntake, shards: int = 1) -> AsyncIterator[GroupCommit]:
    lanes = lanes_of([LIVE], shards=shards)
    commit = GroupCommit(LIVE, lanes, intake, now_us=lambda: NOW_US)  # type: ignore[arg-type]
    commit.start()
    commit.start()
    yield commit
    await commit.stop()


def body(flight_id: str = "a", *points: object) -> bytes:
    return orjson.dumps({"flight_id": flight_id, "track_points": list(points) or [POINT]})


def submit(commit: GroupCommit, *bodies: bytes) -> list[asyncio.Task[bytes]]:
    return [asyncio.create_task(commit.submit(one)) for one in bodies]


async def test_an_idle_server_sends_at_once() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        (request,) = submit(commit, body())
        await intake.sending(1)
        assert not request.done()
        intake.let_go(0)

        assert orjson.loads(await request)["points"] == 1


async def test_what_arrives_meanwhile_is_sent_together() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        first = submit(commit, *[body(f"first-{i}") for i in range(3)])
        await intake.sending(1)
        later = submit(commit, body("b"), body("c"))
        await asyncio.sleep(0)
        assert intake.points == [3]
        intake.let_go(0)
        await intake.sending(2)
        intake.let_go(1)

        answers = [orjson.loads(answer) for answer in await asyncio.gather(*first, *later)]
        assert intake.points == [3, 2]
        assert [answer["flight_id"] for answer in answers] == ["first-0", "first-1", "first-2", "b", "c"]


async def test_a_group_as_large_as_the_one_on_its_way_does_not_wait_for_it_but_a_third_does() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        requests = submit(commit, body(), body())
        await intake.sending(1)
        requests += submit(commit, body(), body())
        await intake.sending(2)
        requests += submit(commit, *[body()] * 5)
        await asyncio.sleep(0)
        assert intake.points == [2, 2]
        intake.let_go(1)
        await intake.sending(3)
        intake.let_go(0)
        intake.let_go(2)

        assert len(await asyncio.gather(*requests)) == 9
        assert intake.points == [2, 2, 5]


async def test_one_bad_body_fails_alone() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        good, nonsense, shapeless = submit(commit, body(), b"{", b"[]")
        await intake.sending(1)
        intake.let_go(0)

        assert orjson.loads(await good)["points"] == 1
        for request, status in ((nonsense, 400), (shapeless, 422)):
            with pytest.raises(Problem) as caught:
                await request
            assert caught.value.status == status


async def test_refusals_need_no_redis_and_are_counted_with_the_next_batch() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        bad = {**POINT, "lat": 91}
        (refused,) = submit(commit, body("a", bad, bad))
        with pytest.raises(Problem) as caught:
            await refused
        assert [reject.index for reject in caught.value.rejects] == [0, 1]
        (request,) = submit(commit, body("b", POINT, bad))
        await intake.sending(1)
        intake.let_go(0)

        assert orjson.loads(await request)["rejected_count"] == 1
        assert intake.rejected == [3]


async def test_a_failure_of_redis_is_told_to_all_of_the_group_and_to_nobody_else() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        lost = submit(commit, body(), body())
        await intake.sending(1)
        intake.held[0].set_exception(RedisError("Redis is gone"))
        for request in lost:
            with pytest.raises(RedisError, match="gone"):
                await request
        (request,) = submit(commit, body())
        await intake.sending(2)
        intake.let_go(1)

        assert await request


async def test_a_refusal_is_counted_once_the_queue_takes_points_again() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        (refused,) = submit(commit, body("a", {**POINT, "lat": 91}))
        with pytest.raises(Problem):
            await refused
        outcomes: Sequence[Via | Exception] = (RedisError("Redis is gone"), Via.SPOOL, Via.QUEUE, Via.QUEUE)
        for number, outcome in enumerate(outcomes):
            (request,) = submit(commit, body())
            await intake.sending(number + 1)
            held = intake.held[number]
            if isinstance(outcome, Via):
                held.set_result(outcome)
            else:
                held.set_exception(outcome)
            await asyncio.wait([request])
            request.exception()

    assert intake.rejected == [1, 1, 1, 0]


async def test_more_than_the_memory_bears_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    one = body()
    monkeypatch.setattr("pointq.ingest.group_commit._WAITING_BYTES", 2 * len(one))
    intake = HeldIntake()
    async with running(intake) as commit:
        first = submit(commit, one)
        await intake.sending(1)
        waiting = submit(commit, one, one)
        (turned_away,) = submit(commit, one)
        with pytest.raises(Problem) as caught:
            await turned_away
        assert (caught.value.status, caught.value.retry_after) == (429, 1)
        intake.let_go(0)
        await intake.sending(2)
        after = submit(commit, one)
        intake.let_go(1)
        await intake.sending(3)
        intake.let_go(2)

        assert all([orjson.loads(await request)["points"] == 1 for request in (*first, *waiting, *after)])


async def test_a_rush_of_batches_takes_few_connections() -> None:
    intake = HeldIntake()
    point = {name: np.array([value]) for name, value in (("time", NOW_US), ("lat", 45.0), ("lon", 6.0))}
    batch = PointBatch(LIVE, (Flight.of("live", "a"),), np.zeros(1, np.int32), point)
    async with running(intake) as commit:
        rush = [asyncio.create_task(commit.append(batch)) for _ in range(30)]
        for number in range(30):
            await intake.sending(number + 1)
            assert len(intake.sent) <= number + 8
            intake.let_go(number)
        await asyncio.gather(*rush)


async def test_a_flight_stays_in_its_shard() -> None:
    intake = HeldIntake()
    async with running(intake, shards=3) as commit:
        requests = submit(commit, *[body(f"flight-{i % 7}") for i in range(21)])
        await intake.sending(1)
        intake.let_go(0)
        await asyncio.gather(*requests)

    (parcels,) = intake.sent
    seen = [{flight.flight_id for flight in frame.decode(parcel.frame).flights} for parcel in parcels]
    assert sum(parcel.points for parcel in parcels) == 21
    assert len(set.union(*seen)) == sum(map(len, seen)) == 7


async def test_stopping_sends_what_has_arrived() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        first = submit(commit, body(), body())
        await intake.sending(1)
        last = submit(commit, body())
        await asyncio.sleep(0)
        stopping = asyncio.create_task(commit.stop())
        intake.let_go(0)
        await intake.sending(2)
        assert not stopping.done()
        intake.let_go(1)
        await stopping

        assert len(await asyncio.gather(*first, *last)) == 3


async def test_it_turns_while_batches_land_and_not_while_one_never_does() -> None:
    intake = HeldIntake()
    async with running(intake) as commit:
        assert await commit.turns(0)
        (request,) = submit(commit, body())
        await intake.sending(1)
        assert await commit.turns(60)
        assert not await commit.turns(-1), "it has been on its way for longer than that"
        intake.let_go(0)
        await request
        assert await commit.turns(0)


async def test_a_loop_that_has_ended_gives_no_answer() -> None:
    async with running(HeldIntake()) as commit:
        assert commit._task
        commit._task.cancel()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(commit.turns(60), 0.05)
        commit._task = None
