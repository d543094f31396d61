"""Goes round the open connections, and ends those whose clients are too slow."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from pointq.aio import cancel
from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.connection import Connection
from pointq.ingest.limits.plan import Times
from pointq.ingest.limits.tally import Tally

log = logging.getLogger("pointq.ingest")

_MOST_SECONDS = 1.0
"""Between two rounds."""
_ROUNDS = 4
"""Within the shortest time that is allowed."""


class Watchman:
    """Goes round from `start` to `stop`; both may be called twice."""

    def __init__(self, connections: Callable[[], Iterable[Connection]], times: Times, tally: Tally) -> None:
        self._connections = connections
        self._times = times
        self._tally = tally
        self._seconds = min(min(times.header, times.body, times.answer) / _ROUNDS, _MOST_SECONDS)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to go round."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="watchman")

    async def stop(self) -> None:
        """Go round no more."""
        if self._task is not None:
            await cancel(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                self.go_round(asyncio.get_running_loop().time())
            except Exception:
                # nobody else would hear of it, and no client would be cut any more
                log.exception("a defect: slow clients were not looked at")

    def go_round(self, now: float) -> None:
        """Once."""
        for connection in self._connections():
            slow = connection.slow(now, self._times)
            if slow is not None:
                self._tally.met(str(slow), counted_as(connection.address))
                connection.cut(slow, self._times)
