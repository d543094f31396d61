"""Group commit: appends that come while one is on its way to the disk make up the next one, in one write and one fsync."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pointq.spool.record import Record

log = logging.getLogger("pointq.spool")


@dataclass(frozen=True, slots=True)
class _Waiting:
    records: Sequence[Record]
    size: int
    done: "asyncio.Future[None]"


class Group:
    """Passes groups of records to `write`, one at a time; nobody waits for company."""

    def __init__(self, write: Callable[[Sequence[Record]], Awaitable[None]], most_bytes: int) -> None:
        self._write = write
        self._most_bytes = most_bytes
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self.bytes = 0
        """Bytes that are waiting or on their way."""

    async def append(self, records: Sequence[Record]) -> None:
        """Returns when the records are written; raises what `write` raised for the group they were in.

        A caller who is cancelled may leave them written.
        """
        size = sum(record.size for record in records)
        waiting = _Waiting(records, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self.bytes += size
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="spool")
        await waiting.done

    async def settle(self) -> None:
        """Returns when nothing is waiting any more."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        while self._waiting:
            group = self._take()
            try:
                await self._write([record for waiting in group for record in waiting.records])
            except Exception as exc:  # noqa: BLE001 - it is theirs who wait, whatever it is
                _tell(group, exc)
            else:
                _tell(group, None)
            self.bytes -= sum(waiting.size for waiting in group)
        self._task = None

    def _take(self) -> list[_Waiting]:
        size = count = 0
        while count < len(self._waiting) and (not count or size + self._waiting[count].size <= self._most_bytes):
            size += self._waiting[count].size
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group


def _tell(group: Sequence[_Waiting], exc: Exception | None) -> None:
    for waiting in group:
        if waiting.done.done():
            continue
        if exc is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(exc)
