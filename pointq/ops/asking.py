"""What Redis, the database and the disk are asked for the status."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from pointq.ops import notices
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, QueueFacts, RedisStatus, SpoolStatus, WorkerStatus
from pointq.queue.connection import translated
from pointq.queue.durability import persistence
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.measure import measure_all
from pointq.spool.stats import inspect
from pointq.store.connection import connect, describe
from pointq.store.faults import unreachable
from pointq.store.schema import timescaledb_version

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from redis.asyncio import Redis

log = logging.getLogger("pointq.ops")

LOST_SECONDS = 5.0
"""A worker beats once a second; silent for so long, it is shown as lost."""


async def ask_redis(redis: "Redis", url: str, lanes: Sequence[Lane], prefix: str) -> QueueFacts:
    """The server, its lanes and the workers. Raises RedisError."""
    heartbeats = Heartbeats(redis, url, prefix)
    with translated(url):
        # at once: on a slow line each turn costs what all of them cost
        kept, memory, measured, now, beats = await asyncio.gather(
            persistence(redis),
            redis.info("memory"),
            measure_all(redis, url, lanes),
            heartbeats.now(),
            heartbeats.read(),
        )
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
    measures = dict(zip(lanes, measured, strict=True))
    return QueueFacts(server, measures, tuple(_worker(beat, now) for beat in beats))


class Database:
    """A database that is asked now and then, over a connection that stays; a new one is made where it broke."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AsyncConnection | None = None

    async def ask(self) -> DatabaseStatus:
        """Its version. Raises DatabaseError."""
        if self._connection is None:
            self._connection = await connect(self._url)
        try:
            version = self._connection.info.parameter_status("server_version")
            return DatabaseStatus(True, version, await timescaledb_version(self._connection))
        except psycopg.Error as exc:
            self.close()
            raise unreachable(exc, describe(self._url)) from exc

    def close(self) -> None:
        """Drop the connection without a word: a server that hangs would not take its leave."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None


async def ask_spool(root: Path | None) -> SpoolStatus:
    """What waits on this machine's disk. Raises SpoolError."""
    if root is None:
        return SpoolStatus()
    stats = await asyncio.to_thread(inspect, root)
    return SpoolStatus(stats.segments, stats.bytes, stats.points, stats.quarantined)


async def ask_servers(root: Path | None) -> tuple[IntakeStatus, ...]:
    """Which way points go in the serve processes of this machine."""
    if root is None:
        return ()
    try:
        return await asyncio.to_thread(notices.read, root)
    except OSError as exc:
        log.debug("what the servers of this machine say cannot be read: %s", exc)
        return ()


def _worker(beat: Heartbeat, now: float) -> WorkerStatus:
    silent = max(now - beat.at, 0.0)
    return WorkerStatus(
        beat.id,
        beat.host,
        beat.pid,
        beat.priorities,
        beat.kinds,
        beat.points_per_second,
        beat.stored_points,
        round(silent, 1),
        "lost" if silent > LOST_SECONDS else beat.state,
        beat.trouble,
    )
