"""Asking everyone for the status, at the same time and not for long: it is there within a second whatever is down."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pointq.errors import BackendError
from pointq.ops.asking import Database, ask_redis, ask_servers, ask_spool
from pointq.ops.notices import IntakeStatus
from pointq.ops.question import silence
from pointq.ops.status import DatabaseStatus, Status, compose
from pointq.queue.lanes import Lane

if TYPE_CHECKING:
    from redis.asyncio import Redis

NOTHING_RUNS = "the embedded servers do not run; `pointq serve` starts them"

T = TypeVar("T")

Addresses = tuple[str, str]
"""URLs of Redis and of the database."""


async def collect(
    redis: "Redis",
    addresses: Addresses,
    lanes: Sequence[Lane],
    *,
    prefix: str = "pointq",
    spool: Path | None = None,
    intake: Callable[[], IntakeStatus] | None = None,
    patience: float,
) -> Status:
    """Ask Redis, the database and the disk at the same time, each at most `patience` seconds."""
    queue, database, spooled, told = await asyncio.gather(
        in_time(ask_redis(redis, addresses[0], lanes, prefix), patience),
        in_time(ask_database(addresses[1]), patience),
        in_time(ask_spool(spool), patience),
        in_time(ask_servers(spool), patience),
    )
    now = datetime.now(UTC)
    servers = () if isinstance(told, Exception) else told
    return compose(queue, database, lanes, now, spool=spooled, intake=intake() if intake else None, servers=servers)


async def in_time(question: Awaitable[T], patience: float) -> T | BackendError | TimeoutError:
    """The answer, or why there is none within `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await question
    except TimeoutError:
        return silence(patience)
    except BackendError as exc:
        return exc


async def ask_database(url: str) -> DatabaseStatus:
    """Ask it over a connection for that alone. Raises DatabaseError."""
    database = Database(url)
    try:
        return await database.ask()
    finally:
        database.close()
