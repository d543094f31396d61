"""Goes round the open connections, and ends those whose clients are too slow."""

import asyncio
from collections.abc import Callable, Iterable

from pointq.aio import Rounds
from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.connection import Connection
from pointq.ingest.limits.plan import Times
from pointq.ingest.limits.tally import Tally

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
        self._rounds = Rounds("watchman", self._once)

    def start(self) -> None:
        """Begin to go round."""
        self._rounds.start()

    async def stop(self) -> None:
        """Go round no more."""
        await self._rounds.stop()

    async def _once(self) -> float:
        self.go_round(asyncio.get_running_loop().time())
        return self._seconds

    def go_round(self, now: float) -> None:
        """Once."""
        for connection in self._connections():
            slow = connection.slow(now, self._times)
            if slow is not None:
                self._tally.met(str(slow), counted_as(connection.address))
                connection.cut(slow, self._times)
