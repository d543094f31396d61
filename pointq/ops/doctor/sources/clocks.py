"""Clocks of servers against the clock of this machine."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_LOOKS = 3
"""The quickest answer says most; the first one often waits for something to be loaded."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a server's clock is ahead of this machine's, in seconds, and how uncertain that is."""

    seconds: float
    uncertainty: float
    """Half of the round trip: when within it the server looked at its clock is not known (https://www.rfc-editor.org/rfc/rfc5905
    calls the sum of such halves the root distance)."""

    def minus(self, other: "Offset") -> "Offset":
        """How far this clock is ahead of that other one."""
        return Offset(self.seconds - other.seconds, self.uncertainty + other.uncertainty)


@dataclass(frozen=True, slots=True)
class ClockPair:
    """Both servers' clocks, by the clock of this machine."""

    redis: Offset
    database: Offset


async def offset(ask: Callable[[], Awaitable[float]], clock: Callable[[], float] = time.time) -> Offset:
    """Measure: `ask` returns the server's time, in Unix seconds."""
    looks = [await _look(ask, clock) for _ in range(_LOOKS)]
    return min(looks, key=lambda look: look.uncertainty)


async def _look(ask: Callable[[], Awaitable[float]], clock: Callable[[], float]) -> Offset:
    before = clock()
    there = await ask()
    after = clock()
    return Offset(there - (before + after) / 2, (after - before) / 2)
