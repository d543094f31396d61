"""A question that is asked again and again, of somebody who may not answer.

Where no answer came in time the question stays open, and is not asked anew: a frozen server gets one connection and one
question, not one more each second, and its answer counts when it wakes. (Cancelling would not help: psycopg waits up to five
seconds for the server to confirm.)
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from pointq.aio import Backoff
from pointq.errors import BackendError

T = TypeVar("T")

_FIRST_SECONDS = 0.25
_MOST_SECONDS = 2.0
"""Between two tries where the answer was an error: a screen should not be late by more when all is well again."""


class Question(Generic[T]):
    """`ask` raises BackendError where there is no answer to be had."""

    def __init__(self, ask: Callable[[], Awaitable[T]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._backoff = Backoff(_FIRST_SECONDS, _MOST_SECONDS)
        self._open: asyncio.Future[T] | None = None
        self._asked_at = 0.0
        self._again_at = 0.0
        self._failure: BackendError | None = None

    async def answer(self, within: float) -> T | BackendError | TimeoutError:
        """What comes within so many seconds, or why nothing does."""
        now = self._clock()
        is_new = self._open is None
        if self._open is None:
            if self._failure and now < self._again_at:
                return self._failure
            self._asked_at = now
            self._open = asyncio.ensure_future(self._ask())
        await asyncio.wait({self._open}, timeout=within)
        if not self._open.done():
            if is_new:
                return silence(within)
            return TimeoutError(f"no answer for {self._clock() - self._asked_at:.0f} s")
        done, self._open = self._open, None
        return self._took(done)

    async def close(self) -> None:
        """Ask no more."""
        if self._open is not None:
            self._open.cancel()
            await asyncio.wait({self._open}, timeout=_FIRST_SECONDS)

    def _took(self, done: "asyncio.Future[T]") -> T | BackendError:
        try:
            answer = done.result()
        except BackendError as exc:
            self._failure = exc
            self._again_at = self._clock() + self._backoff.step()
            return exc
        self._failure = None
        self._backoff.reset()
        return answer


def silence(patience: float) -> TimeoutError:
    """What to say of somebody who did not answer within so many seconds; on a slow line that is no outage."""
    return TimeoutError(f"no answer within {patience:g} s (patience_seconds)")
