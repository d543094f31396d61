"""Asking everyone for the status, at the same time and not for long: it is there within a second whatever is down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psycopg

from pointq.errors import BackendError, DatabaseError, RedisError
from pointq.ops import notices
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import (
    DatabaseStatus,
    QueueFacts,
    RedisStatus,
    SpoolStatus,
    Status,
    WorkerStatus,
    compose,
)
from pointq.queue.connection import translated
from pointq.queue.durability import persistence
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.measure import measure
from pointq.spool.stats import inspect
from pointq.store.connection import connect as connect_database
from pointq.store.schema import timescaledb_version

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger("pointq.ops")

PATIENCE = 0.8
"""Seconds that each has to answer; under the second that the whole document may take."""

LOST_SECONDS = 5.0
"""A worker beats once a second; silent for so long, it is shown as lost."""

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
        _in_time(_ask_redis(redis, redis_url, lanes, prefix)),
        _in_time(_ask_database(database_url)),
        _in_time(_ask_spool(spool)),
        _in_time(_ask_servers(spool)),
    )
    now = datetime.now(UTC)
    servers = () if isinstance(told, Exception) else told
    return compose(queue, database, lanes, now, spool=spooled, intake=intake() if intake else None, servers=servers)


def nothing_runs(lanes: Sequence[Lane]) -> Status:
    """The document where embedded servers are meant and none runs."""
    hint = "the embedded servers do not run; `pointq serve` starts them"
    return compose(RedisError(hint), DatabaseError(hint), lanes, datetime.now(UTC))


async def _in_time(question: Awaitable[T]) -> T | Exception:
    try:
        async with asyncio.timeout(PATIENCE):
            return await question
    except TimeoutError:
        return TimeoutError(f"no answer within {PATIENCE:g} s")
    except (BackendError, psycopg.Error) as exc:
        return exc


async def _ask_redis(redis: "Redis", url: str, lanes: Sequence[Lane], prefix: str) -> QueueFacts:
    with translated(url):
        kept = await persistence(redis)
        memory = await redis.info("memory")
    heartbeats = Heartbeats(redis, url, prefix)
    server = RedisStatus(
        True,
        kept.engine,
        kept.version,
        # managed servers hide some of these
        memory.get("used_memory"),
        memory.get("maxmemory"),
        memory.get("maxmemory_policy"),
        kept.summary,
    )
    measures = dict(zip(lanes, await asyncio.gather(*(measure(redis, url, lane) for lane in lanes)), strict=True))
    now = await heartbeats.now()
    return QueueFacts(server, measures, tuple(_worker(beat, now) for beat in await heartbeats.read()))


async def _ask_spool(root: Path | None) -> SpoolStatus:
    if root is None:
        return SpoolStatus()
    stats = await asyncio.to_thread(inspect, root)
    return SpoolStatus(stats.segments, stats.bytes, stats.points, stats.quarantined)


async def _ask_servers(root: Path | None) -> tuple[IntakeStatus, ...]:
    if root is None:
        return ()
    try:
        return await asyncio.to_thread(notices.read, root)
    except OSError as exc:
        log.debug("what the servers of this machine say cannot be read: %s", exc)
        return ()


async def _ask_database(url: str) -> DatabaseStatus:
    connection = await connect_database(url)
    try:
        version = connection.info.parameter_status("server_version")
        return DatabaseStatus(True, version, await timescaledb_version(connection))
    finally:
        await connection.close()


def _worker(beat: Heartbeat, now: float) -> WorkerStatus:
    silent = max(now - beat.at, 0.0)
    return WorkerStatus(
        beat.id,
        beat.host,
        beat.pid,
        beat.priorities,
        beat.points_per_second,
        beat.stored_points,
        round(silent, 1),
        "lost" if silent > LOST_SECONDS else beat.state,
        beat.trouble,
    )
