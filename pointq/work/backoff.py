"""Waiting longer and longer, with jitter, so that many workers do not come back all at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[object]]


class Backoff:
    """Waits between tries: from `first` seconds, doubling, to `most`; each by a random factor between a half and one."""

    def __init__(
        self,
        first: float = 0.05,
        most: float = 2.0,
        *,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._most = most
        self._next = first
        self._sleep = sleep
        self._random = random

    def step(self) -> float:
        """The seconds to wait now; the next step is longer."""
        seconds = self._next * (0.5 + self._random() / 2)
        self._next = min(self._next * 2, self._most)
        return seconds

    async def wait(self) -> None:
        """Wait one step."""
        await self._sleep(self.step())

    def reset(self) -> None:
        """It worked; begin anew."""
        self._next = self._first
