"""How fast a replay may go: at the rate that was asked for, and never so far ahead of the workers that Redis fills up."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from pointq.aio import Sleep
from pointq.errors import WaitTimeout
from pointq.queue.lanes import Lane

_STEP_POINTS = 20_000
"""Points that go back in one step: what a worker stores at once."""
_STEP_SECONDS = 0.25
"""What one step takes at most where a rate is given, so that the rate is even."""
_LOOK_SECONDS = 0.1


class Gate:
    """Asked before each step; it returns when the step may be made."""

    def __init__(
        self,
        waiting: Callable[[Lane], Awaitable[int]],
        *,
        points_per_second: float | None = None,
        most_waiting: int = 500_000,
        patience: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._waiting = waiting
        self._rate = points_per_second
        self._most_waiting = most_waiting
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    @property
    def step_points(self) -> int:
        """About how many points are to go in one step."""
        return _STEP_POINTS if self._rate is None else max(min(_STEP_POINTS, int(self._rate * _STEP_SECONDS)), 1)

    async def pass_(self, lane: Lane, points: int) -> None:
        """Wait until so many points may go into that lane. Raises WaitTimeout where the workers make no room, RedisError."""
        await self._pace(points)
        await self._room(lane)

    async def _pace(self, points: int) -> None:
        if self._rate is None:
            return
        now = self._clock()
        if self._next > now:
            await self._sleep(self._next - now)
        self._next = max(self._next, now) + points / self._rate

    async def _room(self, lane: Lane) -> None:
        least, since = await self._waiting(lane), self._clock()
        while (waiting := await self._waiting(lane)) >= self._most_waiting:
            if waiting < least:
                least, since = waiting, self._clock()
            elif self._clock() - since > self._patience:
                raise WaitTimeout(
                    f"{waiting} {lane.kind.name} points wait already, and for {self._patience:g} s no worker has stored any; "
                    "the rest is where it was",
                    hint="see `pointq status`, start `pointq work`, then replay again",
                )
            await self._sleep(_LOOK_SECONDS)
