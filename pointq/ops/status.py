"""The status document: what `pointq status`, `GET /queue/status` and `GET /health` tell.

What could not be learned in time is None.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pointq.clock import rfc3339
from pointq.errors import DatabaseError, RedisError
from pointq.ops.notices import IntakeStatus
from pointq.ops.trend import Trend
from pointq.points.kinds import Kind
from pointq.queue.lanes import Lane
from pointq.queue.measure import Measure

_LOSS_SHOWN_SECONDS = 7 * 86_400
"""For so long a loss of Redis's data makes the state ``degraded``; the figures stay."""

State = Literal["ok", "degraded", "down"]


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
    data_lost_at: str | None = None
    """When it was last noticed that it had come back without its data."""


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
    trend: Trend | None = None
    """``ok``, ``lagging`` or ``stalled`` where somebody watches; one look tells none."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker, as its last heartbeat says."""

    id: str
    host: str
    pid: int
    priorities: tuple[int, ...]
    kinds: tuple[str, ...]
    points_per_second: float
    stored_points: int
    last_seen_seconds: float
    state: str
    trouble: str | None = None
    """What it waits for, where it is paused."""

    def takes(self, kind: str) -> bool:
        """Whether it lives, and points of that kind are among what it takes."""
        return self.state != "lost" and kind in self.kinds


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """What waits on this server's disk."""

    segments: int | None = 0
    bytes: int | None = 0
    points: int | None = 0
    quarantined: int | None = 0
    """Damaged records that were set aside."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Points since Redis was first used; None while it does not answer."""

    accepted_points: int | None = None
    stored_points: int | None = None
    duplicate_points: int | None = None
    rejected_points: int | None = None
    dead_points: int | None = None
    lost_points: int | None = None
    """Accepted points that waited in Redis, or were dead letters there, when it lost its data."""
    purged_points: int | None = None
    """Accepted points that an operator removed."""


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
    intake: IntakeStatus | None = None
    """Which way points go in the server that answers."""
    servers: tuple[IntakeStatus, ...] = ()
    """The serve processes of this data folder."""


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What Redis tells."""

    server: RedisStatus
    measures: dict[Lane, Measure]
    workers: tuple[WorkerStatus, ...]


def compose(
    queue: QueueFacts | Exception,
    database: DatabaseStatus | Exception,
    lanes: Sequence[Lane],
    now: datetime,
    *,
    spool: SpoolStatus | Exception = SpoolStatus(),
    intake: IntakeStatus | None = None,
    servers: Sequence[IntakeStatus] = (),
) -> Status:
    """The document from the answers; an exception stands for one that did not come."""
    kinds = list(dict.fromkeys(lane.kind for lane in lanes))
    reachable = None if isinstance(queue, Exception) else queue
    measures = reachable.measures if reachable else {}
    queues = tuple(queue_status(kind, [m for lane, m in measures.items() if lane.kind is kind]) for kind in kinds)
    going = [intake] if intake else servers
    accepts = any(each.is_open for each in going) if going else reachable is not None
    totals = _totals(list(measures.values())) if reachable else Totals()
    lost_at = max((m.lost_at for m in measures.values() if m.lost_at), default=None)
    reasons = (
        *_backend_reasons(queue, database),
        *_loss_reasons(totals.lost_points, lost_at, now),
        *_intake_reasons(going),
        *_spool_reasons(spool),
        *_queue_reasons(reachable, queues),
    )
    finished = max((m.completed_at for m in measures.values() if m.completed_at), default=None)
    return Status(
        time=rfc3339(now.timestamp()),
        state="degraded" if accepts and reasons else "ok" if accepts else "down",
        reasons=tuple(dict.fromkeys(reasons)),
        redis=replace(reachable.server, data_lost_at=_text(lost_at)) if reachable else RedisStatus(connected=False),
        database=DatabaseStatus(connected=False) if isinstance(database, Exception) else database,
        queues=queues,
        workers=reachable.workers if reachable else None,
        spool=SpoolStatus(None, None, None, None) if isinstance(spool, Exception) else spool,
        totals=totals,
        last_processed=_text(finished),
        intake=intake,
        servers=tuple(servers),
    )


def _backend_reasons(queue: QueueFacts | Exception, database: DatabaseStatus | Exception) -> Iterator[str]:
    if isinstance(queue, Exception):
        yield str(queue) if isinstance(queue, RedisError) else f"Redis: {queue}"
    elif queue.server.eviction_policy not in {"noeviction", None}:
        yield f"maxmemory-policy is {queue.server.eviction_policy}: waiting points may be evicted; set noeviction"
    if isinstance(database, Exception):
        why = str(database) if isinstance(database, DatabaseError) else f"the database: {database}"
        yield f"{why}; accepted points wait until it works"


def _loss_reasons(lost: int | None, lost_at: int | None, now: datetime) -> Iterator[str]:
    if lost and lost_at and now.timestamp() - lost_at < _LOSS_SHOWN_SECONDS:
        when = _text(lost_at)
        yield f"{lost:,} accepted points are neither stored nor waiting: Redis came back without its data at {when}"


def _intake_reasons(going: Sequence[IntakeStatus]) -> Iterator[str]:
    for intake in going:
        why = f": {intake.reason}" if intake.reason else ""
        if not intake.is_open:
            yield f"points are refused since {intake.since[:19]}Z, no way to keep them is open{why}"
        elif intake.via != "queue":
            yield f"points go by the {intake.via} since {intake.since[:19]}Z, not by the queue{why}"


def _spool_reasons(spool: SpoolStatus | Exception) -> Iterator[str]:
    if isinstance(spool, Exception):
        yield f"the spool: {spool}"
        return
    if spool.points:
        yield f"{spool.points} points wait in the spool for Redis; they drain by themselves"
    if spool.quarantined:
        yield f"{spool.quarantined} damaged records of the spool were set aside; see its folder quarantine"


def _queue_reasons(facts: QueueFacts | None, queues: Sequence[QueueStatus]) -> Iterator[str]:
    for q in queues:
        if q.dead_points:
            yield f"{q.dead_points} {q.kind} points are dead letters: pointq inspect {q.kind} --dead"
    if facts is None:
        return
    paused = Counter(worker.trouble for worker in facts.workers if worker.trouble and worker.state != "lost")
    for trouble, count in paused.items():
        yield f"{count} worker{'s' if count > 1 else ''} wait{'' if count > 1 else 's'}: {trouble}"
    for q in queues:
        if q.total_pending and not any(worker.takes(q.kind) for worker in facts.workers):
            yield f"{q.total_pending} {q.kind} points wait and no worker takes them; `pointq work --kind {q.kind}` starts one"


def queue_status(kind: Kind, measures: Sequence[Measure]) -> QueueStatus:
    """Those lanes of a kind together; nothing known where there is none."""
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


def _text(seconds: float | None) -> str | None:
    """A moment in Unix seconds as RFC 3339."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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
        lost_points=sum(m.lost_points for m in measures),
        dead_points=sum(m.dead_points for m in measures),
        purged_points=sum(m.purged_points for m in measures),
    )
