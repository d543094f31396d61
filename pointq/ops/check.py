"""Whether all is well, measured by limits: what `pointq check` tells a monitor.

Each check ends ok, warning, critical, or unknown where what it needs does not answer. That Redis or the database does not
answer is a check of its own, and critical: somebody must wake up. The whole is as bad as its worst part.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from pointq.config.limits import PRIORITIES, Limit
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import QueueStatus, Status, WorkerStatus
from pointq.points.kinds import KINDS


class Verdict(IntEnum):
    """The exit code of `pointq check`, as monitoring plugins have it."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_FROM_BEST = (Verdict.OK, Verdict.WARNING, Verdict.UNKNOWN, Verdict.CRITICAL)
"""What is not known may be bad, what is critical is."""


_NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one thing."""

    check: str
    subject: str
    """Kind of a lane, ``priority 1``, or the check itself where there is only one thing; no process id, which would make
    series without end."""
    verdict: Verdict
    message: str
    """What was found, and where it is not ok what was allowed, or what to do."""
    value: float | None = None
    unit: str = ""
    """``s``, ``%``, or nothing where things are counted."""
    limit: Limit = _NO_LIMIT
    is_least: bool = False
    """Whether less than the limit is bad, not more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """By priority, or for everything."""

    age_seconds: Mapping[int, Limit]
    depth_points: Mapping[int, Limit]
    dead_points: Mapping[int, Limit]
    workers: Mapping[int, Limit]
    spool_percent: Limit
    redis_memory_percent: Limit
    spool_bytes: int
    """What one server may spool: 100 percent."""


def checked(status: Status, limits: Limits, only: Collection[str] = ()) -> list[Finding]:
    """All checks, or only those named. See `CHECKS`."""
    return [finding for name, check in CHECKS.items() if not only or name in only for finding in check(status, limits)]


def worst(findings: Sequence[Finding]) -> Verdict:
    """That of the whole; unknown where nothing was checked."""
    return max((finding.verdict for finding in findings), key=_FROM_BEST.index, default=Verdict.UNKNOWN)


def exceeded(findings: Sequence[Finding]) -> list[Finding]:
    """Those that are not ok, the worst first."""
    bad = [finding for finding in findings if finding.verdict is not Verdict.OK]
    return sorted(bad, key=lambda finding: -_FROM_BEST.index(finding.verdict))


def _redis(status: Status, _: Limits) -> Iterator[Finding]:
    redis = status.redis
    if redis.connected:
        yield Finding("redis", "redis", Verdict.OK, f"{redis.engine} {redis.version} answers", 1)
    else:
        yield Finding("redis", "redis", Verdict.CRITICAL, _reason(status, "Redis"), 0)


def _database(status: Status, _: Limits) -> Iterator[Finding]:
    database = status.database
    if database.connected:
        yield Finding("database", "database", Verdict.OK, f"PostgreSQL {database.version} answers", 1)
    else:
        yield Finding("database", "database", Verdict.CRITICAL, _reason(status, "the database"), 0)


def _reason(status: Status, who: str) -> str:
    """Why there was no answer, as the status says it."""
    return next((reason for reason in status.reasons if reason.startswith(who)), f"{who} does not answer")


def _intake(status: Status, _: Limits) -> Iterator[Finding]:
    """Which way points go in the servers of this machine; the worst of them, nothing where there is none."""
    if status.servers:
        verdict, message = max((_way(server) for server in status.servers), key=lambda way: way[0])
        elsewhere = sum(_way(server)[0] is not Verdict.OK for server in status.servers)
        yield Finding("intake", "intake", verdict, message, elsewhere)


def _way(intake: IntakeStatus) -> tuple[Verdict, str]:
    why = f": {intake.reason}" if intake.reason else ""
    if not intake.is_open:
        return Verdict.CRITICAL, f"points are refused{why}"
    if intake.via != "queue":
        return Verdict.WARNING, f"points go by the {intake.via}{why}"
    return Verdict.OK, "points go by the queue"


def _age(status: Status, limits: Limits) -> Iterator[Finding]:
    for queue in status.queues:
        age = queue.oldest_age_seconds
        if queue.total_pending is not None:
            age = age or 0.0
        says = f"the oldest {queue.kind} point waits for {age or 0:.3g} s" if age else f"no {queue.kind} point waits"
        yield _measured("age", queue.kind, age, limits.age_seconds[queue.priority], says, unit="s")


def _depth(status: Status, limits: Limits) -> Iterator[Finding]:
    yield from _counted("depth", status.queues, lambda queue: queue.total_pending, limits.depth_points, "wait")


def _dead(status: Status, limits: Limits) -> Iterator[Finding]:
    for finding in _counted("dead", status.queues, lambda q: q.dead_points, limits.dead_points, "are dead letters"):
        hint = f"; pointq inspect {finding.subject} --dead"
        yield finding if finding.verdict in {Verdict.OK, Verdict.UNKNOWN} else _with_hint(finding, hint)


def _counted(
    check: str,
    queues: Sequence[QueueStatus],
    count: Callable[[QueueStatus], int | None],
    limits: Mapping[int, Limit],
    what: str,
) -> Iterator[Finding]:
    for queue in queues:
        value = count(queue)
        says = f"{value or 'no'} {queue.kind} points {what}"
        yield _measured(check, queue.kind, value, limits[queue.priority], says)


def _workers(status: Status, limits: Limits) -> Iterator[Finding]:
    for priority in PRIORITIES:
        subject = f"priority {priority}"
        if status.workers is None:
            yield _measured("workers", subject, None, limits.workers[priority], "", is_least=True)
            continue
        alive, what = _fewest(status.workers, priority)
        says = f"{alive or 'no'} worker{'' if alive == 1 else 's'} take{'s' if alive == 1 else ''} {what}"
        finding = _measured("workers", subject, alive, limits.workers[priority], says, is_least=True)
        yield finding if finding.verdict is Verdict.OK else _with_hint(finding, "; pointq work starts one")


def _fewest(workers: Sequence[WorkerStatus], priority: int) -> tuple[int, str]:
    """How many take that kind of the priority which fewest take, and what they take."""
    counts = {
        kind.name: sum(worker.takes(kind.name) for worker in workers) for kind in KINDS.values() if kind.priority == priority
    }
    kind, fewest = min(counts.items(), key=lambda each: each[1])
    return fewest, f"{kind} points" if fewest < max(counts.values()) else f"priority {priority}"


def _spool(status: Status, limits: Limits) -> Iterator[Finding]:
    spool = status.spool
    full = None
    if spool.bytes is not None:
        full = spool.bytes / limits.spool_bytes * 100 if spool.points else 0.0
    says = f"{spool.points} points wait in the spool, which is {full:.3g} % full" if full else "the spool is empty"
    yield _measured("spool", "spool", full, limits.spool_percent, says, unit="%")


def _memory(status: Status, limits: Limits) -> Iterator[Finding]:
    redis = status.redis
    if redis.connected and not redis.maxmemory_bytes:
        yield Finding("memory", "redis", Verdict.OK, "Redis has no limit of memory", None, "%", limits.redis_memory_percent)
        return
    used, most = redis.used_memory_bytes, redis.maxmemory_bytes
    full = used / most * 100 if used is not None and most else None
    says = f"Redis uses {full:.3g} % of its memory" if full is not None else ""
    yield _measured("memory", "redis", full, limits.redis_memory_percent, says, unit="%")


CHECKS: Mapping[str, Callable[[Status, Limits], Iterator[Finding]]] = {
    "redis": _redis,
    "database": _database,
    "intake": _intake,
    "age": _age,
    "depth": _depth,
    "dead": _dead,
    "workers": _workers,
    "spool": _spool,
    "memory": _memory,
}
"""By name, in the order in which they are shown."""


def _measured(
    check: str, subject: str, value: float | None, limit: Limit, says: str, *, unit: str = "", is_least: bool = False
) -> Finding:
    """The finding for a value; None is one that is not known."""
    if value is None:
        return Finding(check, subject, Verdict.UNKNOWN, f"{check} of {subject} is not known", None, unit, limit, is_least)
    for verdict, bound in ((Verdict.CRITICAL, limit.critical), (Verdict.WARNING, limit.warning)):
        if bound is not None and (value < bound if is_least else value > bound):
            amount = f"{bound:g}{unit and ' ' + unit}"
            expected = f"at least {amount} needed" if is_least else f"at most {amount} allowed"
            return Finding(check, subject, verdict, f"{says}, {expected}", value, unit, limit, is_least)
    return Finding(check, subject, Verdict.OK, says, value, unit, limit, is_least)


def _with_hint(finding: Finding, hint: str) -> Finding:
    return replace(finding, message=finding.message + hint)
