"""Signs of life for whoever watches over a process, given only while its work really goes on."""

import asyncio
from collections.abc import Awaitable, Callable

from pointq.aio import cancel, first_of
from pointq.supervision.superior import Superior

_MOST_SECONDS = 5.0
"""Between two of them, also where nobody watches: what an operator is told is no older."""

_PER_WATCH = 4
"""So many in the time after which a silent process is ended: one that comes late ends nothing."""


class Vigil:
    """From `start` to `stop`, both of which may be called twice.

    `look` says what the process is doing, None where its work has stopped; one that hangs is silence, too.
    """

    def __init__(self, superior: Superior, look: Callable[[], Awaitable[str | None]]) -> None:
        self._superior = superior
        self._look = look
        watch = superior.watch_seconds
        self._interval = _MOST_SECONDS if watch is None else min(watch / _PER_WATCH, _MOST_SECONDS)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._task is None and self._superior.listens:
            self._task = asyncio.create_task(self._run(), name="vigil")

    async def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._task is not None:
            # what it looks at may hang
            await cancel(self._task)

    async def _run(self) -> None:
        while not self._stop.is_set():
            status = await self._look()
            if status is not None and not self._stop.is_set():
                self._superior.alive(status)
            await first_of(asyncio.sleep(self._interval), self._stop.wait())
