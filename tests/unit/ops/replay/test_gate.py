"""How fast a replay goes: by a clock of the test's own."""

import pytest

from pointq.errors import WaitTimeout
from pointq.ops.replay.gate import Gate
from pointq.points.kinds import LIVE
from pointq.queue.lanes import Lane

LANE = Lane.of(LIVE)


class Time:
    """Sleeping moves it, and the worker of the test stores meanwhile."""

    def __init__(self, waiting: int = 0, stored_per_second: int = 0) -> None:
        self.now = 100.0
        self._waiting = waiting
        self._stored_per_second = stored_per_second

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._waiting -= int(self._stored_per_second * seconds)

    async def waiting(self, _: Lane) -> int:
        return self._waiting


def gate(time: Time, rate: float | None = None, most_waiting: int = 1_000) -> Gate:
    return Gate(
        time.waiting, points_per_second=rate, most_waiting=most_waiting, patience=5.0, clock=time.clock, sleep=time.sleep
    )


async def test_without_a_rate_nothing_is_waited_for() -> None:
    time = Time()
    for _ in range(10):
        await gate(time).pass_(LANE, 10_000)
    assert time.now == 100.0


async def test_a_rate_is_kept_over_all_steps() -> None:
    time = Time()
    paced = gate(time, rate=100)
    assert paced.step_points == 25
    for _ in range(9):
        await paced.pass_(LANE, 25)
    assert time.now == 102.0, "the first goes at once, eight wait for those before them"


async def test_what_was_not_used_is_not_caught_up_on() -> None:
    time = Time()
    paced = gate(time, rate=100)
    await paced.pass_(LANE, 25)
    time.now += 60
    for _ in range(5):
        await paced.pass_(LANE, 25)
    assert time.now == pytest.approx(161.0)


async def test_a_step_has_a_point_however_slow_the_rate() -> None:
    assert gate(Time(), rate=1).step_points == 1


async def test_it_waits_while_workers_make_room() -> None:
    time = Time(waiting=1_200, stored_per_second=100)
    await gate(time).pass_(LANE, 10)
    assert time.now == pytest.approx(102.1)


async def test_it_gives_up_where_they_make_none() -> None:
    time = Time(waiting=1_000)
    with pytest.raises(WaitTimeout, match="1000 live points wait already, and for 5 s") as ended:
        await gate(time).pass_(LANE, 10)
    assert "pointq work" in (ended.value.hint or "")
    assert time.now == pytest.approx(105.0, abs=0.2)
