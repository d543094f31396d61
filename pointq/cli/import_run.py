"""One run of ``pointq import``: the connections, the progress, and somebody to store what it brings."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pointq.cli.backends import Servers
from pointq.cli.commands.work import chosen_lanes, work_job, work_plan
from pointq.cli.context import AppContext
from pointq.cli.import_screen import Progress
from pointq.ops.importing import FileReport, Importer, Options
from pointq.ops.sources import find
from pointq.queue.connection import connect as connect_redis
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.producer import open_producer
from pointq.store.connection import connect as connect_database
from pointq.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.config import Settings

_SILENT_SECONDS = 3.0
"""A worker that said nothing for so long stores nothing; it beats once a second."""


@dataclass
class Run:
    """What one import was asked to do."""

    app: AppContext
    settings: "Settings"
    backends: Servers
    options: Options
    waits: bool
    timeout: float | None
    _staff: Supervisor | None = field(default=None, init=False)

    async def all(self, paths: Sequence[str]) -> list[FileReport]:
        """Import those paths and report on every file."""
        async with AsyncExitStack() as stack:
            redis = connect_redis(self.backends.redis_url)
            stack.push_async_callback(redis.aclose)
            database = None
            if self.waits:
                database = await connect_database(self.backends.database_url)
                stack.push_async_callback(database.close)
            producer = await open_producer(redis, self.backends.redis_url, self.settings.durability, self.settings.min_replicas)
            importer = Importer(producer, chosen_lanes(self.settings, None, None), self.options)
            progress = stack.enter_context(Progress(self.app))
            reports = [progress.file(report) async for report in importer.run(find(paths), database)]
            if database is None:
                return reports
            stack.push_async_callback(self._dismiss)
            await self._settle(importer, redis, progress)
            return await importer.settle(database)

    async def _settle(self, importer: Importer, redis: "Redis", progress: Progress) -> None:
        async def tick(left: int) -> None:
            progress.waiting(left)
            if self.backends.embedded:
                await self._hire(redis, importer.priorities)

        await importer.wait(self.timeout, tick)

    async def _hire(self, redis: "Redis", needed: Collection[int]) -> None:
        """Start a worker where embedded servers have none for these priorities: nobody else would store what waits."""
        if self._staff is not None:
            return
        heartbeats = Heartbeats(redis, self.backends.redis_url, self.settings.queue.prefix)
        now = await heartbeats.now()
        working = [beat for beat in await heartbeats.read() if now - beat.at < _SILENT_SECONDS and beat.state != "stopping"]
        if set(needed) <= {priority for beat in working for priority in beat.priorities}:
            return
        plan = work_plan(self.settings, self.backends, chosen_lanes(self.settings, None, None), drain=True)
        self._staff = Supervisor([work_job(self.app, self.settings, plan)])
        self._staff.start()

    async def _dismiss(self) -> None:
        if self._staff is not None:
            await asyncio.shield(self._staff.stop())
