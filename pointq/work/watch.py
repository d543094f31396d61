"""The watch beside a worker's write: while it waits for the locks of a frozen worker, nobody reads or reclaims anything."""

import asyncio
import logging

import psycopg

from pointq.aio import first_of
from pointq.errors import DatabaseError
from pointq.store.faults import one_line
from pointq.store.writer import Writer
from pointq.work.evictor import Evictor
from pointq.work.worker import Worker

log = logging.getLogger("pointq.work")


class Watch:
    """Looks once every `interval` seconds: is a lot still being stored since the last look, it ends silent workers' sessions.

    Over a connection of its own, opened when it is needed, since the worker's waits.
    """

    def __init__(self, worker: Worker, evictor: Evictor, writer: Writer, *, interval: float = 1.0) -> None:
        self._worker = worker
        self._evictor = evictor
        self._writer = writer
        self._interval = interval
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Begin to look. May be called twice."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="watch")

    async def stop(self) -> None:
        """Look no more. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            self._stop.set()
            self._writer.abort()
            await task

    async def _run(self) -> None:
        last = None
        while not self._stop.is_set():
            lot = self._worker.storing
            if lot is not None and lot is last:
                await self._look()
            last = lot
            await first_of(asyncio.sleep(self._interval), self._stop.wait())

    async def _look(self) -> None:
        try:
            await self._evictor.evict(self._writer)
        except (psycopg.Error, DatabaseError) as exc:
            # the worker says itself when the database is away
            log.debug("no session could be ended: %s", one_line(exc))
        finally:
            await self._writer.close()
