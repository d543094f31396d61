"""The heart of a worker: it says that the worker lives, and keeps the claims on what it works on alive."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable

from pointq.errors import RedisError
from pointq.queue.consumer import Consumer
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.work.reader import Reader
from pointq.work.worker import Worker

log = logging.getLogger("pointq.work")


class Heart:
    """Beats once every `interval` seconds until `stop`; a slow batch is not taken away while it does."""

    def __init__(
        self,
        worker: Worker,
        reader: Reader,
        consumer: Consumer,
        heartbeats: Heartbeats,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._reader = reader
        self._consumer = consumer
        self._heartbeats = heartbeats
        self._interval = interval
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to beat. May be called twice."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="heart")

    async def stop(self) -> None:
        """Beat no more and leave the list of workers. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        try:
            await self._heartbeats.remove(self._consumer.name)
        except RedisError as exc:
            log.debug("the list of workers could not be updated: %s", exc)

    async def _run(self) -> None:
        while True:
            try:
                await self._beat()
            except RedisError as exc:
                # the worker says so itself
                log.debug("no heartbeat: %s", exc)
            await asyncio.sleep(self._interval)

    async def _beat(self) -> None:
        for lane, ids in self._reader.held.items():
            if ids:
                await self._consumer.keep_alive(lane, tuple(ids))
        figures = self._worker.figures()
        await self._heartbeats.beat(
            Heartbeat(
                id=self._consumer.name,
                host=socket.gethostname(),
                pid=os.getpid(),
                priorities=tuple(sorted({lane.priority for lane in self._reader.lanes})),
                points_per_second=round(figures.points_per_second, 1),
                stored_points=figures.stored,
                state=figures.state,
                at=await self._heartbeats.now(),
            )
        )
