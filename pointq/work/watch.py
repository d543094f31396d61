"""The watch beside a worker's write: while it waits for the locks of a frozen worker, nobody reads or reclaims anything."""

import asyncio
import logging
import time

import psycopg

from pointq.aio import first_of
from pointq.errors import DatabaseError
from pointq.store.faults import one_line
from pointq.store.writer import Writer
from pointq.work.evictor import Evictor
from pointq.work.lot import Lot
from pointq.work.worker import Worker

log = logging.getLogger("pointq.work")

_SLOW_SECONDS = 8.0
"""A lot is stored in a second; before the 10 s after which a wait for a lock is an error of its own."""


class Watch:
    """Looks once every `interval` seconds: is a lot still being stored since the last look, it ends silent workers' sessions.

    Over a connection of its own, opened when it is needed, since the worker's waits.
    """

    def __init__(self, worker: Worker, evictor: Evictor, writer: Writer, *, interval: float = 1.0) -> None:
        self._worker = worker
        self._evictor = evictor
        self._writer = writer
        self._interval = interval
        self._since = 0.0
        self._told = False
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
            if lot is not last:
                self._tell_end(last)
                last, self._since = lot, time.monotonic()
            elif lot is not None:
                self._tell_slow(lot)
                await self._look()
            await first_of(asyncio.sleep(self._interval), self._stop.wait())

    def _tell_slow(self, lot: Lot) -> None:
        if self._told or self._worker.waits or time.monotonic() - self._since < _SLOW_SECONDS:
            return
        self._told = True
        log.warning(
            "%d %s points are not stored after %.0f s: the database hangs, or another session holds a lock that they need; "
            "nothing is lost, it goes on when that ends",
            sum(entry.points for entry in lot.entries),
            lot.lane.kind.name,
            time.monotonic() - self._since,
        )

    def _tell_end(self, lot: Lot | None) -> None:
        if self._told and lot is not None:
            log.warning("the %s points are through after %.1f s", lot.lane.kind.name, time.monotonic() - self._since)
        self._told = False

    async def _look(self) -> None:
        try:
            await self._evictor.evict(self._writer)
        except (psycopg.Error, DatabaseError) as exc:
            # the worker says itself when the database is away
            log.debug("no session could be ended: %s", one_line(exc))
        finally:
            await self._writer.close()
