"""Waiting for workers: within a bound, until told to stop, and never in silence."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from pointq.errors import WaitTimeout

_STEP_SECONDS = 0.1


class Stopped(Exception):
    """Whoever waits was told to stop."""


class Patience:
    """How long an import waits for others to store points, all in all."""

    def __init__(
        self,
        within: float | None = None,
        meanwhile: Callable[[str], Awaitable[None]] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stop = asyncio.Event()
        """Set it to end every wait."""
        self._within = within
        self._meanwhile = meanwhile
        self._clock = clock
        self._waited = 0.0

    async def step(self, why: str, left: str) -> None:
        """Wait a moment; `why` is for a line of progress, `left` says in an error what has not happened.

        Raises WaitTimeout where it took too long, Stopped where nobody wants it any more.
        """
        if self.stop.is_set():
            raise Stopped
        if self._within is not None and self._waited >= self._within:
            raise WaitTimeout(
                f"{left} after {self._within:g} s; what is in the queue stays there",
                hint="see `pointq status`; `pointq work` starts a worker",
            )
        started = self._clock()
        if self._meanwhile is not None:
            await self._meanwhile(why)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), _STEP_SECONDS)
        self._waited += self._clock() - started
