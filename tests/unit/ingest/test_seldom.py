"""What strangers cause is said now and then, with how often; a traceback too."""

import logging
from http import HTTPStatus

import pytest

from pointq.ingest import guard
from pointq.ingest.guard import problem_of
from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.problems import Problem
from pointq.ingest.seldom import Seldom

MIB = 2**20


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_kind_of_line_is_said_at_most_once_in_a_while_with_how_many_there_were(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    seldom = Seldom(logging.getLogger("pointq.test"), every=2.0, clock=clock)
    for number in range(5):
        seldom.warning("instrument %d", number)
    seldom.warning("another")
    clock.now += 1.9
    seldom.warning("instrument %d", 5)
    clock.now += 0.1
    seldom.warning("instrument %d", 6)
    clock.now += 2.0
    seldom.warning("instrument %d", 7)
    assert caplog.messages == [
        "instrument 0",
        "another",
        "instrument 6 (and 5 more like it were not written)",
        "instrument 7",
    ]


def test_a_defect_that_is_met_again_and_again_has_one_traceback_every_10_s(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(guard, "defects", Seldom(logging.getLogger("pointq.ingest"), every=10.0, clock=clock))
    for _ in range(100):
        assert problem_of(ZeroDivisionError("a defect"), "/tracking/live").status == HTTPStatus.INTERNAL_SERVER_ERROR
    clock.now += 10.0
    problem_of(ZeroDivisionError("a defect"), "/tracking/upload")
    assert caplog.messages == [
        "a request to /tracking/live met a defect",
        "a request to /tracking/upload met a defect (and 99 more like it were not written)",
    ]
    assert all(record.exc_info and record.levelno == logging.ERROR for record in caplog.records)


def test_bodies_on_their_way_have_a_bound_together_and_give_their_room_back() -> None:
    arrivals = Arrivals(16 * MIB)
    with arrivals.one() as first, arrivals.one() as second:
        first(40 * MIB)
        second(24 * MIB)
        with pytest.raises(Problem, match="too many large bodies") as refused:
            second(1)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (HTTPStatus.TOO_MANY_REQUESTS, "5")
    with arrivals.one() as third:
        third(64 * MIB)


def test_there_is_room_for_four_of_the_largest_bodies() -> None:
    with Arrivals(100 * MIB).one() as came:
        came(400 * MIB)
        with pytest.raises(Problem):
            came(1)
