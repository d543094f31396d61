"""The breaker opens, waits, lets one through, and closes: by a clock that the test moves."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.aio import Backoff
from pointq.ingest.breaker import Breaker, Permit, State

WALL = 1_782_043_200.0


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL + self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return make(clock)


def make(clock: Clock, *, failures: int = 3, timeouts: int = 1, random: float = 1.0) -> Breaker:
    backoff = Backoff(0.2, 5.0, random=lambda: random)
    return Breaker(failures=failures, timeouts=timeouts, backoff=backoff, clock=clock.monotonic, wall=clock.wall)


def permit(breaker: Breaker) -> Permit:
    given = breaker.ask()
    assert given is not None
    return given


def opened(breaker: Breaker, clock: Clock, at: float = 10.0) -> None:
    clock.now = at
    assert breaker.failed(permit(breaker), "no answer", timeout=True)


def test_a_closed_one_lets_everybody_through(breaker: Breaker, clock: Clock) -> None:
    permits = [permit(breaker) for _ in range(100)]
    clock.now = 5.0

    assert not any(breaker.succeeded(given) for given in permits)
    assert (breaker.state, breaker.since, breaker.reason, breaker.retry_in) == (State.CLOSED, WALL, None, 0)


def test_failures_in_a_row_open_it(breaker: Breaker, clock: Clock) -> None:
    assert [breaker.failed(permit(breaker), "refused") for _ in range(2)] == [False, False]
    breaker.succeeded(permit(breaker))
    clock.now = 7.0
    assert [breaker.failed(permit(breaker), ConnectionError("refused")) for _ in range(3)] == [False, False, True]

    assert (breaker.state, breaker.since, breaker.reason) == (State.OPEN, WALL + 7, "refused")
    assert breaker.ask() is None


def test_one_timeout_opens_it(breaker: Breaker) -> None:
    assert breaker.failed(permit(breaker), "no answer within 2 s", timeout=True)


def test_timeouts_in_a_row_can_be_asked_for(clock: Clock) -> None:
    breaker = make(clock, failures=10, timeouts=2)

    answers = [breaker.failed(permit(breaker), "x", timeout=timeout) for timeout in (True, False, True, True)]
    assert answers == [False, False, False, True]


def test_exactly_one_probe_goes_through(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now = 10.199
    assert breaker.ask() is None
    assert breaker.retry_in == pytest.approx(0.001)
    clock.now = 10.2
    assert breaker.ask() is not None
    assert breaker.state is State.HALF_OPEN
    assert [breaker.ask() for _ in range(100)] == [None] * 100
    assert breaker.retry_in == 0


def test_a_probe_that_works_closes_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now = 11.0
    probe = permit(breaker)
    clock.now = 11.5

    assert breaker.succeeded(probe)
    assert (breaker.state, breaker.since, breaker.reason) == (State.CLOSED, WALL + 11.5, None)
    assert [breaker.failed(permit(breaker), "refused") for _ in range(3)] == [False, False, True]
    assert breaker.retry_in == pytest.approx(0.2)  # the backoff began anew


def test_probes_that_fail_come_less_and_less_often(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    waits = []
    for _ in range(8):
        waits.append(breaker.retry_in)
        clock.now += breaker.retry_in
        assert not breaker.failed(permit(breaker), "refused")
        assert breaker.state is State.OPEN

    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])
    assert (breaker.since, breaker.reason) == (WALL + 10, "refused")


def test_waits_have_jitter(clock: Clock) -> None:
    waits = []
    for random in (0.0, 0.5, 1.0):
        breaker = make(clock, random=random)
        breaker.failed(permit(breaker), "no answer", timeout=True)
        waits.append(breaker.retry_in)

    assert waits == pytest.approx([0.1, 0.15, 0.2])


def test_a_probe_that_was_withdrawn_is_followed_by_another_at_once(breaker: Breaker, clock: Clock) -> None:
    opened(breaker, clock)
    clock.now = 11.0
    breaker.withdrew(permit(breaker))

    assert (breaker.state, breaker.retry_in, breaker.since) == (State.OPEN, 0, WALL + 10)
    assert breaker.succeeded(permit(breaker))


def test_withdrawing_from_a_closed_one_says_nothing(breaker: Breaker) -> None:
    breaker.failed(permit(breaker), "refused")
    breaker.withdrew(permit(breaker))
    breaker.failed(permit(breaker), "refused")

    assert breaker.failed(permit(breaker), "refused")


def test_what_began_before_it_opened_says_nothing_about_now(breaker: Breaker, clock: Clock) -> None:
    late = [permit(breaker) for _ in range(3)]
    opened(breaker, clock)
    assert not breaker.succeeded(late[0])
    assert breaker.ask() is None
    clock.now = 11.0
    probe = permit(breaker)
    breaker.withdrew(late[0])
    assert not breaker.failed(late[1], "no answer", timeout=True)
    assert not breaker.succeeded(late[2])
    assert breaker.ask() is None
    assert breaker.succeeded(probe)
    assert not breaker.failed(late[1], "no answer", timeout=True)
    assert not breaker.failed(probe, "twice", timeout=True)
    assert breaker.state is State.CLOSED


@given(st.lists(st.tuples(st.sampled_from(["ask", "ok", "failed", "timeout", "withdrew", "wait"]), st.integers(0, 5))))
def test_whatever_happens_there_is_one_probe_at_most_and_always_another(steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    breaker = make(clock)
    held: list[Permit] = []
    for step, number in steps:
        if step == "ask":
            before, given = breaker.state, breaker.ask()
            assert (given is None) == (before is State.HALF_OPEN or breaker.state is State.OPEN)
            held += [given] if given else []
        elif step == "wait":
            clock.now += number
        elif held:
            _report(breaker, held.pop(number % len(held)), step)
    for given in held:
        breaker.withdrew(given)
    clock.now += 5

    assert breaker.ask() is not None


def _report(breaker: Breaker, given: Permit, step: str) -> None:
    if step == "ok":
        breaker.succeeded(given)
    elif step == "withdrew":
        breaker.withdrew(given)
    else:
        breaker.failed(given, step, timeout=step == "timeout")
