"""Asks everyone at the same time, and has the checks look at the answers: it is there within a second whatever is down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import redis.exceptions as redis_errors
from psycopg import AsyncConnection

from pointq.config import LoadedConfig, Settings
from pointq.errors import DatabaseError, EmbeddedError, RedisError
from pointq.ops.doctor import checks
from pointq.ops.doctor.report import Facts, LeftOut, Report, judge
from pointq.ops.doctor.sources import database, disk, host, queue
from pointq.ops.doctor.sources.clocks import ClockPair
from pointq.ops.doctor.sources.setup import Setup, setup
from pointq.queue.connection import connect as connect_redis
from pointq.queue.connection import describe as describe_redis
from pointq.store.connection import abort
from pointq.store.connection import connect as connect_database
from pointq.store.connection import describe as describe_database

if TYPE_CHECKING:
    from redis.asyncio import Redis

_CLOSING_SECONDS = 0.1
"""For leaving Redis, on top of everything: without it connections would stay open where patience is over."""

_NO_SERVER = "embedded servers are meant and do not run"

_BEHIND_REDIS = (queue.QueueServer, queue.QueueClock, queue.Lanes)
_BEHIND_THE_DATABASE = (database.DatabaseServer, database.DatabaseClock, database.Tables, database.Timescale)
"""What can be learned only where the login is taken, in the order in which it is asked for."""

T = TypeVar("T")


async def examine(loaded: LoadedConfig) -> Report:
    """Find out what is wrong. Nothing is started, consumed or changed, and nothing raises for what is found."""
    started = time.monotonic()
    questions = Questions(loaded.settings.patience_seconds)
    found = await questions.setup(loaded)
    parts = await asyncio.gather(questions.redis(found), questions.database(found), questions.machine(found.settings))
    facts: dict[type, object] = {Setup: found}
    for part in parts:
        facts |= part
    facts[ClockPair] = _clocks(facts)
    return judge(checks.ALL, facts, started)


class Questions:
    """All that is asked within one span of patience, which begins when this is made."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._deadline = asyncio.get_running_loop().time() + patience

    async def setup(self, loaded: LoadedConfig) -> Setup:
        """Which servers are meant; where the data folder does not answer, none."""
        found = await self._in_time(asyncio.to_thread(setup, loaded))
        if isinstance(found, Setup):
            return found
        trouble = EmbeddedError(f"the data folder {loaded.settings.data_dir} cannot be looked at: {_said(found)}")
        return Setup(loaded.settings, (), None, None, embedded=True, trouble=trouble)

    async def redis(self, found: Setup) -> Facts:
        """All facts of Redis."""
        if found.redis_url is None:
            return dict.fromkeys((queue.QueueLink, *_BEHIND_REDIS), LeftOut(_NO_SERVER))
        try:
            client = connect_redis(found.redis_url, timeout=self._patience)
        except RedisError as exc:
            return _no_redis(queue.QueueLink("?", exc))
        try:
            return await self._ask_redis(client, found.redis_url, found)
        finally:
            with suppress(TimeoutError, redis_errors.RedisError):
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await client.aclose()

    async def _ask_redis(self, client: "Redis", url: str, found: Setup) -> Facts:
        link = await self._in_time(queue.link(client, url))
        if not isinstance(link, queue.QueueLink):
            where = describe_redis(url)
            trouble = link if isinstance(link, RedisError) else RedisError(f"Redis at {where} does not answer: {_said(link)}")
            return _no_redis(queue.QueueLink(where, trouble))
        answers = await asyncio.gather(
            self._in_time(queue.server(client, url, found.settings, embedded=found.embedded)),
            self._in_time(queue.clock(client, url)),
            self._in_time(queue.lanes(client, url, found.settings)),
        )
        return {queue.QueueLink: link, **dict(zip(_BEHIND_REDIS, answers, strict=True))}

    async def database(self, found: Setup) -> Facts:
        """All facts of the database."""
        if found.database_url is None:
            reason = _NO_SERVER if found.embedded else "no database is configured"
            return dict.fromkeys((database.DatabaseLink, *_BEHIND_THE_DATABASE), LeftOut(reason))
        where = describe_database(found.database_url)
        connection = await self._in_time(connect_database(found.database_url, within=self._patience))
        if isinstance(connection, DatabaseError):
            return _no_database(database.DatabaseLink(where, connection))
        if isinstance(connection, Exception):
            trouble = DatabaseError(f"the database at {where} does not answer: {_said(connection)}")
            return _no_database(database.DatabaseLink(where, trouble))
        try:
            answers = await self._ask_database(connection, found)
        finally:
            await connection.close()
        return {database.DatabaseLink: database.DatabaseLink(where), **answers}

    async def _ask_database(self, connection: AsyncConnection, found: Setup) -> Facts:
        """The answers; where one does not come in time the connection is broken, since a cancelled query is waited for."""
        questions: list[Coroutine[None, None, object]] = [
            database.server(connection, found.settings),
            database.clock(connection),
            database.tables(connection, found.settings),
            database.timescale(connection, found.settings, embedded=found.embedded),
        ]
        tasks = [asyncio.create_task(question) for question in questions]
        left = self._deadline - asyncio.get_running_loop().time()
        _, late = await asyncio.wait(tasks, timeout=max(left, 0))
        if late:
            abort(connection)
            await asyncio.wait(late)
        answers = [task.exception() or task.result() for task in tasks]
        told = [self._silence() if task in late else answer for task, answer in zip(tasks, answers, strict=True)]
        return dict(zip(_BEHIND_THE_DATABASE, told, strict=True))

    async def machine(self, settings: Settings) -> Facts:
        """All facts of this machine."""
        looks: dict[type, Callable[[Settings], object]] = {
            disk.Folder: disk.folder,
            disk.FileSystem: disk.file_system,
            disk.SpoolSlots: disk.spool,
            host.Host: host.host,
        }
        answers = await asyncio.gather(*(self._in_time(asyncio.to_thread(look, settings)) for look in looks.values()))
        return dict(zip(looks, answers, strict=True))

    async def _in_time(self, question: Awaitable[T]) -> T | Exception:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await question
        except TimeoutError:
            return self._silence()
        except Exception as exc:  # noqa: BLE001 - what a strange server or disk does is a finding, whatever it is
            return exc

    def _silence(self) -> TimeoutError:
        return TimeoutError(f"nothing within {self._patience:g} s (patience_seconds)")


def _no_redis(link: queue.QueueLink) -> Facts:
    return {queue.QueueLink: link, **dict.fromkeys(_BEHIND_REDIS, LeftOut("Redis does not answer"))}


def _no_database(link: database.DatabaseLink) -> Facts:
    return {database.DatabaseLink: link, **dict.fromkeys(_BEHIND_THE_DATABASE, LeftOut("the database does not answer"))}


def _clocks(facts: Facts) -> object:
    """Both servers' clocks, where both were seen."""
    redis, base = facts[queue.QueueClock], facts[database.DatabaseClock]
    if isinstance(redis, queue.QueueClock) and isinstance(base, database.DatabaseClock):
        return ClockPair(redis.offset, base.offset)
    reason = next((found for found in (redis, base) if isinstance(found, LeftOut)), None)
    return reason or LeftOut("not both clocks could be seen")


def _said(exc: object) -> str:
    return str(exc) or type(exc).__name__
