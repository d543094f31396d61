"""The status document: what `pointq status`, `GET /queue/status` and `GET /health` tell.

It is there within a second whatever is down: what cannot be learned in time is None.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

import psycopg

from pointq.errors import DatabaseError, RedisError
from pointq.points.kinds import Kind
from pointq.queue.connection import translated
from pointq.queue.durability import persistence
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.measure import Measure, measure
from pointq.store.connection import connect as connect_database
from pointq.store.schema import timescaledb_version

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE = 0.8
"""Seconds that a backend has to answer; under the second that the whole document may take."""

LOST_SECONDS = 5.0
"""A worker beats once a second; silent for so long, it is shown as lost."""

State = Literal["ok", "degraded", "down"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RedisStatus:
    """Redis or Valkey."""

    connected: bool
    engine: str | None = None
    version: str | None = None
    used_memory_bytes: int | None = None
    maxmemory_bytes: int | None = None
    eviction_policy: str | None = None
    persistence: str | None = None


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """PostgreSQL."""

    connected: bool
    version: str | None = None
    timescaledb: str | None = None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One kind's lanes together; all but the first two are None while Redis does not answer."""

    kind: str
    priority: int
    ready_batches: int | None = None
    ready_points: int | None = None
    pending_batches: int | None = None
    pending_points: int | None = None
    total_pending: int | None = None
    oldest_age_seconds: float | None = None
    dead_batches: int | None = None
    dead_points: int | None = None
    in_points_per_second: float | None = None
    out_points_per_second: float | None = None
    drain_eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker, as its last heartbeat says."""

    id: str
    host: str
    pid: int
    priorities: tuple[int, ...]
    points_per_second: float
    stored_points: int
    last_seen_seconds: float
    state: str


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """What waits on this server's disk."""

    segments: int = 0
    bytes: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Points since Redis was empty; None while it does not answer."""

    accepted_points: int | None = None
    stored_points: int | None = None
    duplicate_points: int | None = None
    rejected_points: int | None = None
    dead_points: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The whole document, and what is behind `state`."""

    time: str
    state: State
    reasons: tuple[str, ...]
    """Why the state is not ``ok``, in words."""
    redis: RedisStatus
    database: DatabaseStatus
    queues: tuple[QueueStatus, ...]
    workers: tuple[WorkerStatus, ...] | None
    spool: SpoolStatus
    totals: Totals
    last_processed: str | None


@dataclass(frozen=True, slots=True)
class _Queue:
    """What Redis tells."""

    server: RedisStatus
    measures: dict[Lane, Measure]
    workers: tuple[WorkerStatus, ...]


async def collect(
    redis: "Redis", redis_url: str, database_url: str, lanes: Sequence[Lane], prefix: str = "pointq", patience: float = PATIENCE
) -> Status:
    """Ask Redis and the database at the same time, each at most `patience` seconds."""
    queue, database = await asyncio.gather(
        _in_time(_ask_redis(redis, redis_url, lanes, prefix), patience),
        _in_time(_ask_database(database_url), patience),
    )
    return compose(queue, database, lanes, datetime.now(UTC))


def nothing_runs(lanes: Sequence[Lane]) -> Status:
    """The document where embedded servers are meant and none runs."""
    hint = "the embedded servers do not run; `pointq serve` starts them"
    return compose(RedisError(hint), DatabaseError(hint), lanes, datetime.now(UTC))


async def _in_time(question: Awaitable[T], seconds: float) -> T | Exception:
    try:
        async with asyncio.timeout(seconds):
            return await question
    except TimeoutError:
        return TimeoutError(f"no answer within {seconds:g} s")
    except (RedisError, DatabaseError, psycopg.Error) as exc:
        return exc


async def _ask_redis(redis: "Redis", url: str, lanes: Sequence[Lane], prefix: str) -> _Queue:
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
    return _Queue(server, measures, tuple(_worker(beat, now) for beat in await heartbeats.read()))


async def _ask_database(url: str) -> DatabaseStatus:
    connection = await connect_database(url)
    try:
        version = connection.info.parameter_status("server_version")
        return DatabaseStatus(True, version, await timescaledb_version(connection))
    finally:
        await connection.close()


def compose(queue: _Queue | Exception, database: DatabaseStatus | Exception, lanes: Sequence[Lane], now: datetime) -> Status:
    """The document from the answers; an exception stands for one that did not come."""
    kinds = list(dict.fromkeys(lane.kind for lane in lanes))
    reachable = None if isinstance(queue, Exception) else queue
    measures = reachable.measures if reachable else {}
    queues = tuple(_queue_status(kind, [m for lane, m in measures.items() if lane.kind is kind]) for kind in kinds)
    reasons = tuple(_reasons(queue, database, queues))
    finished = max((m.completed_at for m in measures.values() if m.completed_at), default=None)
    return Status(
        time=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        state="down" if reachable is None else "degraded" if reasons else "ok",
        reasons=reasons,
        redis=reachable.server if reachable else RedisStatus(connected=False),
        database=DatabaseStatus(connected=False) if isinstance(database, Exception) else database,
        queues=queues,
        workers=reachable.workers if reachable else None,
        spool=SpoolStatus(),
        totals=_totals(list(measures.values())) if reachable else Totals(),
        last_processed=datetime.fromtimestamp(finished, UTC).isoformat().replace("+00:00", "Z") if finished else None,
    )


def _reasons(queue: _Queue | Exception, database: DatabaseStatus | Exception, queues: Sequence[QueueStatus]) -> list[str]:
    reasons: list[str] = []
    if isinstance(queue, Exception):
        reasons.append(str(queue) if isinstance(queue, RedisError) else f"Redis: {queue}")
    elif queue.server.eviction_policy not in {"noeviction", None}:
        reasons.append(f"maxmemory-policy is {queue.server.eviction_policy}: waiting points may be evicted; set noeviction")
    if isinstance(database, Exception):
        reason = str(database) if isinstance(database, DatabaseError) else f"the database: {database}"
        reasons += [reason] if reason not in reasons else []
    reasons += [f"{q.dead_points} {q.kind} points are dead letters" for q in queues if q.dead_points]
    if not isinstance(queue, Exception):
        served = {p for worker in queue.workers if worker.state != "lost" for p in worker.priorities}
        reasons += [
            f"{q.total_pending} {q.kind} points wait and no worker takes priority {q.priority}"
            for q in queues
            if q.total_pending and q.priority not in served
        ]
    return reasons


def _queue_status(kind: Kind, measures: Sequence[Measure]) -> QueueStatus:
    if not measures:
        return QueueStatus(kind.name, kind.priority)
    waiting = sum(m.ready_points + m.pending_points for m in measures)
    out = sum(m.out_rate for m in measures)
    return QueueStatus(
        kind=kind.name,
        priority=kind.priority,
        ready_batches=sum(m.ready_batches for m in measures),
        ready_points=sum(m.ready_points for m in measures),
        pending_batches=sum(m.pending_batches for m in measures),
        pending_points=sum(m.pending_points for m in measures),
        total_pending=waiting,
        oldest_age_seconds=max((m.oldest_age for m in measures if m.oldest_age is not None), default=None),
        dead_batches=sum(m.dead_batches for m in measures),
        dead_points=sum(m.dead_points for m in measures),
        in_points_per_second=sum(m.in_rate for m in measures),
        out_points_per_second=out,
        drain_eta_seconds=_eta(waiting, out),
    )


def _eta(waiting: int, rate: float) -> float | None:
    """Seconds until a lane is empty at that rate; None where nothing leaves it."""
    if not waiting:
        return 0.0
    return round(waiting / rate, 1) if rate else None


def _totals(measures: Sequence[Measure]) -> Totals:
    return Totals(
        accepted_points=sum(m.accepted_points for m in measures),
        stored_points=sum(m.stored_points for m in measures),
        duplicate_points=sum(m.duplicate_points for m in measures),
        rejected_points=sum(m.rejected_points for m in measures),
        dead_points=sum(m.dead_points for m in measures),
    )


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
    )
