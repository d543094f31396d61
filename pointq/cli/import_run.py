"""One run of ``pointq import``: its parts, put together as was asked, the progress, and somebody to store what it brings."""

import asyncio
import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pointq.cli.backends import Servers
from pointq.cli.commands.work import chosen_lanes, work_job, work_plan
from pointq.cli.context import AppContext
from pointq.cli.import_progress import Progress
from pointq.errors import BackendError, DatabaseError, PointqError, WaitTimeout
from pointq.ops.importing.follow import Follower
from pointq.ops.importing.importer import Importer
from pointq.ops.importing.ledger import Ledger
from pointq.ops.importing.options import Options
from pointq.ops.importing.patience import Patience, Stopped
from pointq.ops.importing.readers import Processes, Reader, default_jobs
from pointq.ops.importing.rejects import RejectsFile
from pointq.ops.importing.report import FileReport
from pointq.ops.importing.room import Room
from pointq.ops.importing.ways import DirectWay, Nowhere, QueueWay, Way
from pointq.ops.sources import count, find
from pointq.queue.connection import connect as connect_redis
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.producer import Producer, open_producer
from pointq.store.connection import connect as connect_database
from pointq.store.mapping import OWN_FLIGHTS, tables_of
from pointq.store.writer import Writer
from pointq.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from redis.asyncio import Redis

    from pointq.config import Settings

_SILENT_SECONDS = 3.0
"""A worker that said nothing for so long stores nothing; it beats once a second."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was typed."""

    options: Options
    way: Literal["queue", "direct", "url", "nowhere"]
    jobs: int | None = None
    """None: what suits the way."""
    url: str = ""
    token: str | None = field(default=None, repr=False)
    waits: bool = False
    timeout: float | None = None
    force: bool = False
    rejects: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How far it came."""

    reports: Sequence[FileReport]
    files: int | None
    """How many there were, where it is known."""
    interrupted: bool
    failure: PointqError | None
    """What ended it."""


class Run:
    """One import. `servers` is None where it needs none of its own."""

    def __init__(self, app: AppContext, settings: "Settings", servers: Servers | None, wishes: Wishes) -> None:
        self._app = app
        self._settings = settings
        self._servers = servers
        self._wishes = wishes
        self._tables = tables_of(settings.tables)
        self._progress = Progress(app)
        self._patience = Patience(wishes.timeout, self._meanwhile)
        self._redis: Redis | None = None
        self._producer: Producer | None = None
        self._follower: Follower | None = None
        self._staff: Supervisor | None = None
        self._files: int | None = None

    async def all(self, paths: Sequence[str], stdin: bytes) -> Result:
        """Import those paths. Raises BackendError where a server cannot be reached at the start."""
        async with AsyncExitStack() as stack:
            reader = self._reader()
            stack.push_async_callback(reader.close)
            rejects = stack.enter_context(RejectsFile(self._wishes.rejects)) if self._wishes.rejects else None
            database = await self._database(stack)
            importer = Importer(
                await self._way(stack, database),
                self._wishes.options,
                reader,
                ledger=self._ledger(database),
                rejects=rejects,
                patience=self._patience,
            )
            stack.push_async_callback(self._dismiss)
            stack.enter_context(self._progress)
            stack.enter_context(self._stopped_by_signals())
            counting = asyncio.create_task(self._count(paths, stdin))
            stack.callback(counting.cancel)
            failure = await self._import(importer, paths, stdin)
            return Result(importer.reports, self._files, self._patience.stop.is_set(), failure)

    async def _import(self, importer: Importer, paths: Sequence[str], stdin: bytes) -> PointqError | None:
        """Import all; what ended it before its end."""
        try:
            async for report in importer.run(find(paths, stdin=stdin)):
                self._progress.file(report)
            if self._follower is not None and self._producer is not None:
                await self._follower.wait(self._producer, self._patience)
                await importer.settle(self._follower)
        except Stopped:
            return None
        except (BackendError, WaitTimeout) as exc:
            return exc
        return None

    def _reader(self) -> Reader:
        if self._wishes.way != "url":
            processes = Processes(self._wishes.jobs or default_jobs())
            processes.start()
            return processes
        # an HTTP client takes a quarter of a second to load
        from pointq.ops.importing.remote import UPLOADS, Remote

        return Remote(self._wishes.url, self._wishes.token, self._wishes.jobs or UPLOADS)

    async def _database(self, stack: AsyncExitStack) -> "AsyncConnection[Any] | None":
        """The database, for the ledger and to see what is new; an import through the queue can do without."""
        if self._servers is None:
            return None
        try:
            connection = await connect_database(
                self._servers.database_url, within=self._settings.database.connect_timeout_seconds
            )
        except DatabaseError as exc:
            if self._wishes.waits or self._wishes.way == "direct":
                raise
            self._progress.note(f"{exc.message}: files that were imported before are read again")
            return None
        stack.push_async_callback(connection.close)
        return connection

    def _ledger(self, database: "AsyncConnection[Any] | None") -> Ledger:
        # it asks pointq's own flights what is stored; beside a user's there is no telling, and every file is read
        return Ledger(database if self._tables.flights is OWN_FLIGHTS else None, asks=not self._wishes.force)

    async def _way(self, stack: AsyncExitStack, database: "AsyncConnection[Any] | None") -> Way:
        if self._servers is None:
            return Nowhere()
        if self._wishes.way == "direct":
            seconds = self._settings.database.connect_timeout_seconds
            writer = Writer(self._servers.database_url, self._tables, connect_timeout=seconds)
            stack.push_async_callback(writer.close)
            return DirectWay(writer)
        url = self._servers.redis_url
        self._redis = connect_redis(url)
        stack.push_async_callback(self._redis.aclose)
        self._producer = await open_producer(self._redis, url, self._settings.durability, self._settings.min_replicas)
        if self._wishes.waits and database is not None:
            self._follower = Follower(database, self._tables)
        lanes = chosen_lanes(self._settings, None, None)
        room = Room(self._redis, url, lanes, self._settings.queue.import_max_points, self._patience)
        return QueueWay(self._producer, lanes, room, self._follower)

    async def _count(self, paths: Sequence[str], stdin: bytes) -> None:
        self._files = await asyncio.to_thread(count, paths, stdin)
        self._progress.total(self._files)

    async def _meanwhile(self, why: str) -> None:
        """While others have to store something: say so, and see that there are others."""
        self._progress.waiting(why)
        if self._servers is not None and self._servers.embedded and self._redis is not None and self._staff is None:
            await self._hire(self._redis, self._needed())

    def _needed(self) -> Collection[str]:
        if self._follower is not None and self._follower.kinds:
            return self._follower.kinds
        return {lane.kind.name for lane in chosen_lanes(self._settings, None, None)}

    async def _hire(self, redis: "Redis", needed: Collection[str]) -> None:
        """Start a worker where embedded servers have none for these kinds: nobody else would store what waits."""
        if self._servers is None:
            return
        heartbeats = Heartbeats(redis, self._servers.redis_url, self._settings.queue.prefix)
        now = await heartbeats.now()
        working = [beat for beat in await heartbeats.read() if now - beat.at < _SILENT_SECONDS and beat.state != "stopping"]
        if set(needed) <= {kind for beat in working for kind in beat.kinds}:
            return
        plan = work_plan(self._settings, self._servers, chosen_lanes(self._settings, None, None), drain=True)
        self._staff = Supervisor([work_job(self._app, self._settings, plan)])
        self._staff.start()

    async def _dismiss(self) -> None:
        if self._staff is not None:
            await asyncio.shield(self._staff.stop())

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """The first Ctrl-C finishes the file at hand, the second stops at once."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()

        def stop() -> None:
            if not self._patience.stop.is_set():
                self._patience.stop.set()
                self._progress.note("stopping after the file at hand; Ctrl-C to stop at once")
            elif task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
