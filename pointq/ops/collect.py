"""Asking everyone for the status, at the same time and not for long: it is there within a second whatever is down."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pointq.errors import BackendError
from pointq.ops.asking import Database, ask_redis, ask_servers, ask_spool
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, Status, compose
from pointq.queue.answering import PATIENCE
from pointq.queue.lanes import Lane

if TYPE_CHECKING:
    from redis.asyncio import Redis

NOTHING_RUNS = "the embedded servers do not run; `pointq serve` starts them"

T = TypeVar("T")


async def collect(
    redis: "Redis",
    redis_url: str,
    database_url: str,
    lanes: Sequence[Lane],
    *,
    prefix: str = "pointq",
    spool: Path | None = None,
    intake: Callable[[], IntakeStatus] | None = None,
) -> Status:
    """Ask Redis, the database and the disk at the same time, each at most `PATIENCE` seconds."""
    queue, database, spooled, told = await asyncio.gather(
        in_time(ask_redis(redis, redis_url, lanes, prefix)),
        in_time(ask_database(database_url)),
        in_time(ask_spool(spool)),
        in_time(ask_servers(spool)),
    )
    now = datetime.now(UTC)
    servers = () if isinstance(told, Exception) else told
    return compose(queue, database, lanes, now, spool=spooled, intake=intake() if intake else None, servers=servers)


async def in_time(question: Awaitable[T]) -> T | BackendError | TimeoutError:
    """The answer, or why there is none within `PATIENCE` seconds."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await question
    except TimeoutError:
        return TimeoutError(f"no answer within {PATIENCE:g} s")
    except BackendError as exc:
        return exc


async def ask_database(url: str) -> DatabaseStatus:
    """Ask it over a connection for that alone. Raises DatabaseError."""
    database = Database(url)
    try:
        return await database.ask()
    finally:
        database.close()
