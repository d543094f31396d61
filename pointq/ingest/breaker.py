"""A circuit breaker: after failures, nobody tries for a while; then one does, on behalf of all.

    permit = breaker.ask()
    if permit is None:
        ...                                   # not now: take another way
    try:
        await attempt()                       # within the caller's own time limit
    except TimeoutError:
        breaker.failed(permit, "no answer", timeout=True)
    except PointqError as exc:
        breaker.failed(permit, exc)
    except BaseException:
        breaker.withdrew(permit)              # cancelled: nothing was learnt
        raise
    else:
        breaker.succeeded(permit)

Nothing here waits or reads a clock that was not given, and the caller decides what a failure is. Each permit must be given
back in one of the three ways, or a half-open breaker waits for its probe for ever.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pointq.aio import Backoff

FAILURES = 3
"""Failures in a row that open it: a refused connection costs a request little, so one that is reset opens nothing."""
TIMEOUTS = 1
"""Timeouts in a row that open it: each costs a request its whole budget, so no second one waits to find out."""
FIRST_SECONDS = 0.2
MOST_SECONDS = 5.0


class State(StrEnum):
    """What a breaker does with whoever asks."""

    CLOSED = "closed"
    """Everybody may try."""
    OPEN = "open"
    """Nobody may try before the backoff is over."""
    HALF_OPEN = "half-open"
    """One is trying; the others wait for what it finds."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to try once. What it reports counts only while the breaker is in the term in which it was given."""

    term: int


class Breaker:
    """One breaker. `failed` and `succeeded` say whether they opened or closed it, so that the caller says so once."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        timeouts: int = TIMEOUTS,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._most_failures = failures
        self._most_timeouts = timeouts
        self._backoff = backoff or Backoff(FIRST_SECONDS, MOST_SECONDS)
        self._clock = clock
        self._wall = wall
        self._failures = 0
        self._timeouts = 0
        self._term = 0
        self._retry_at = 0.0
        self._state = State.CLOSED
        self.since = wall()
        """When points began to go the way they go now: it closed, or opened, Unix seconds. A failed probe changes nothing."""
        self.reason: str | None = None
        """The last failure, while it is not closed."""

    @property
    def state(self) -> State:
        """What it does now."""
        return self._state

    @property
    def retry_in(self) -> float:
        """Seconds until the next probe may begin; 0 if one may now, or is under way."""
        return max(self._retry_at - self._clock(), 0.0) if self._state is State.OPEN else 0.0

    def ask(self) -> Permit | None:
        """Leave to try, None for no; the first to ask after the backoff is the probe."""
        if self._state is State.OPEN and self._clock() >= self._retry_at:
            self._enter(State.HALF_OPEN)
            return Permit(self._term)
        return Permit(self._term) if self._state is State.CLOSED else None

    def succeeded(self, permit: Permit) -> bool:
        """It worked. True if that has closed the breaker."""
        if permit.term != self._term:
            # begun before the breaker opened: it says nothing about now
            return False
        self._failures = self._timeouts = 0
        if self._state is State.CLOSED:
            return False
        self._backoff.reset()
        self.reason = None
        self._enter(State.CLOSED)
        self.since = self._wall()
        return True

    def failed(self, permit: Permit, why: object, *, timeout: bool = False) -> bool:
        """It did not work. True if that has opened the breaker; False for a probe, which found it open."""
        if permit.term != self._term:
            return False
        self._failures += 1
        self._timeouts = self._timeouts + 1 if timeout else 0
        if self._state is State.HALF_OPEN:
            self._open(why)
            return False
        if self._failures < self._most_failures and self._timeouts < self._most_timeouts:
            return False
        self._open(why)
        self.since = self._wall()
        return True

    def withdrew(self, permit: Permit) -> None:
        """It was not tried to the end. Where it was the probe, the next to ask is."""
        if permit.term == self._term and self._state is State.HALF_OPEN:
            self._retry_at = self._clock()
            self._enter(State.OPEN)

    def _open(self, why: object) -> None:
        self.reason = str(why)
        self._retry_at = self._clock() + self._backoff.step()
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self._state = state
        self._term += 1
