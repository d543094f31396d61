"""Waiting, measuring and saying so, by clocks of the test."""

import logging

import pytest

from pointq.aio import Backoff
from pointq.work.outage import Outage
from pointq.work.rate import Rate


async def test_backoff_doubles_up_to_its_most_and_begins_anew() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    backoff = Backoff(1.0, 5.0, sleep=sleep, random=lambda: 1.0)
    for _ in range(5):
        await backoff.wait()
    backoff.reset()
    await backoff.wait()

    assert slept == [1, 2, 4, 5, 5, 1]


def test_backoff_is_jittered_between_a_half_and_one() -> None:
    assert Backoff(1.0, 8.0, random=lambda: 0.0).step() == 0.5
    assert all(0.5 <= Backoff(1.0, 8.0).step() <= 1.0 for _ in range(100))


def test_rate_is_the_mean_of_its_window() -> None:
    rate = Rate(window=10)
    assert rate.per_second(0) == 0
    rate.add(0, 100)
    rate.add(5, 50)

    assert [rate.per_second(now) for now in (5, 9.9, 10, 15)] == [15, 15, 5, 0]


def test_rate_forgets_though_nobody_asks() -> None:
    rate = Rate(window=10)
    for second in range(1_000):
        rate.add(second, 1)

    assert len(rate._events) <= 10


def test_an_outage_is_said_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    now = iter([10.0, 13.5])
    log = logging.getLogger("pointq.test")
    outage = Outage(log, "the database", Backoff(1.0, 8.0, random=lambda: 1.0), clock=lambda: next(now))

    with caplog.at_level(logging.INFO, log.name):
        for _ in range(3):
            outage.begin("gone")
            outage.backoff.step()
        away = outage.active
        for _ in range(3):
            outage.end()

    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("ERROR", "the database: gone; nothing is lost, it is tried again until it works"),
        ("WARNING", "the database: works again after 3.5 s"),
    ]
    assert (away, outage.active) == (True, False)
    assert outage.backoff.step() == 1.0


def test_a_line_that_is_cut_again_and_again_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 10.0
    log = logging.getLogger("pointq.test")
    outage = Outage(log, "Redis", Backoff(), clock=lambda: now)

    def cut(tries: int) -> None:
        for _ in range(tries):
            outage.begin("Redis at x:1 reset the connection")
            assert outage.trouble == "Redis at x:1 reset the connection"
        outage.end()
        assert outage.trouble is None

    for now in (10.0, 11.0, 12.0, 19.9):  # noqa: B007 - the clock reads it
        cut(tries=1)
    assert len(caplog.records) == 2, "the first begins and ends"
    now = 19.95
    cut(tries=2)
    assert len(caplog.records) == 4, "one that lasts is told"
    now = 30.0
    cut(tries=1)
    assert len(caplog.records) == 6, "one long after is told"
