"""The heart of a worker: it says that the worker lives, and keeps the claims on what it works on alive."""

import asyncio
import logging
import os
import socket

from pointq.aio import check_cancelled, first_of
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
    ) -> None:
        self._worker = worker
        self._reader = reader
        self._consumer = consumer
        self._heartbeats = heartbeats
        self._interval = interval
        self._saying = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Begin to beat. May be called twice."""
        if self._task is None:
            self._worker.introduce(self._tell_session)
            self._task = asyncio.create_task(self._run(), name="heart")

    async def stop(self) -> None:
        """Beat no more and leave the list of workers. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        # told, not cancelled: the client of Redis may turn a cancellation into an error of its own, and the heart would beat on
        self._stop.set()
        await task
        try:
            await self._heartbeats.remove(self._consumer.name)
        except RedisError as exc:
            log.debug("the list of workers could not be updated: %s", exc)

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                await self._beat()
            except RedisError as exc:
                # the worker says so itself
                log.debug("no heartbeat: %s", exc)
            await first_of(asyncio.sleep(self._interval), self._stop.wait(), self._consumer.ledger.noticed())

    async def _beat(self) -> None:
        for lane, ids in self._reader.held.items():
            if ids:
                await self._consumer.keep_alive(lane, tuple(ids))
        await self._say()
        await self._consumer.ledger.look(self._reader.lanes)

    async def _tell_session(self) -> None:
        """Before the session holds any lock: of a COPY that froze untold no timeout frees the others."""
        try:
            await self._say()
        except RedisError as exc:
            log.debug("the new session is told by a later heartbeat: %s", exc)
            check_cancelled()

    async def _say(self) -> None:
        # one at a time: the last to arrive must be the last to have looked
        async with self._saying:
            await self._heartbeats.beat(await self._line())

    async def _line(self) -> Heartbeat:
        figures = self._worker.figures()
        session = self._worker.session
        return Heartbeat(
            id=self._consumer.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            priorities=tuple(sorted({lane.priority for lane in self._reader.lanes})),
            kinds=tuple(dict.fromkeys(lane.kind.name for lane in self._reader.lanes)),
            points_per_second=round(figures.points_per_second, 1),
            stored_points=figures.stored,
            state=figures.state,
            at=await self._heartbeats.now(),
            trouble=figures.trouble,
            session=None if session is None else (session.pid, session.started),
        )
