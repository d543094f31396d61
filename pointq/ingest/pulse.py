"""The pulse of a server: once a second it says which way points go, and sees whether Redis still has its data."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from pointq.aio import first_of
from pointq.errors import RedisError
from pointq.ops.notices import IntakeStatus, Notice
from pointq.queue.lanes import Lane
from pointq.queue.ledger import Ledger

log = logging.getLogger("pointq.ingest")

_SECONDS = 1.0


class Pulse:
    """Beats from `start` to `stop`; both may be called twice."""

    def __init__(
        self, going: Callable[[], IntakeStatus], ledger: Ledger, lanes: Sequence[Lane], notice: Notice | None = None
    ) -> None:
        self._going = going
        self._ledger = ledger
        self._lanes = lanes
        self._notice = notice
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to beat."""
        if not self._tasks:
            # apart: a Redis that hangs must keep nobody from hearing of it
            self._tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._look())]

    async def stop(self) -> None:
        """Beat no more."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _tell(self) -> None:
        while self._notice is not None and not self._stop.is_set():
            try:
                self._notice.put(self._going())
            except OSError as exc:
                log.debug("which way points go cannot be told: %s", exc)
            await first_of(asyncio.sleep(_SECONDS), self._stop.wait())

    async def _look(self) -> None:
        while not self._stop.is_set():
            try:
                await self._ledger.look(self._lanes)
            except RedisError as exc:
                # the breaker says so
                log.debug("what Redis holds is not known: %s", exc)
            await first_of(asyncio.sleep(_SECONDS), self._ledger.noticed(), self._stop.wait())
