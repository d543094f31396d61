"""What is ok, a warning, critical or unknown."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pointq.config.limits import Limit, limits
from pointq.errors import DatabaseError, RedisError
from pointq.ops.check import CHECKS, Finding, Limits, Verdict, checked, exceeded, worst
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, QueueFacts, RedisStatus, SpoolStatus, Status, WorkerStatus, compose
from pointq.points.kinds import KINDS
from pointq.queue.lanes import lanes_of
from pointq.queue.measure import Measure, interpret

NOON = "2026-06-19T12:00:00.000Z"
NOW = datetime(2026, 6, 21, 12, 0, 0, tzinfo=UTC)
LANES = lanes_of()
IDLE = interpret(1000.0, {}, {}, "")
SERVER = RedisStatus(True, "valkey", "9.1.2", 800, 1000, "noeviction", "aof always")
DATABASE = DatabaseStatus(True, "18.4")
WORKER = WorkerStatus("w", "host", 1, (1, 2, 3), tuple(KINDS), 0.0, 0, 0.4, "running")
SPOOL_BYTES = 1000

OFF = limits("off")
NONE = Limits(OFF, OFF, OFF, OFF, Limit(), Limit(), SPOOL_BYTES)

OK, WARNING, CRITICAL, UNKNOWN = Verdict


def status(live: Measure = IDLE, *, workers: tuple[WorkerStatus, ...] = (WORKER,), **more: object) -> Status:
    facts = QueueFacts(SERVER, dict.fromkeys(LANES, IDLE) | {LANES[0]: live}, workers)
    return compose(facts, DATABASE, LANES, NOW, **more)  # type: ignore[arg-type]


WITHOUT_REDIS = compose(RedisError("Redis at x cannot be reached"), DATABASE, LANES, NOW)
WITHOUT_DATABASE = replace(
    compose(QueueFacts(SERVER, dict.fromkeys(LANES, IDLE), ()), DatabaseError("the database at y is away"), LANES, NOW)
)


def only(check: str, subject: str, where: Status, limits: Limits = NONE) -> Finding:
    (found,) = [finding for finding in checked(where, limits, {check}) if finding.subject == subject]
    return found


def test_without_limits_all_that_answers_is_ok() -> None:
    assert {finding.verdict for finding in checked(status(), NONE)} == {OK}


@pytest.mark.parametrize(
    ("age", "verdict"), [(None, OK), (0.0, OK), (30.0, OK), (30.1, WARNING), (120.0, WARNING), (120.1, CRITICAL)]
)
def test_age_of_the_oldest_point(age: float | None, verdict: Verdict) -> None:
    waiting = replace(IDLE, ready_points=0 if age is None else 1, oldest_age=age)
    found = only("age", "live", status(waiting), replace(NONE, age_seconds=limits("1=30:120, 2=1:2")))

    assert (found.verdict, found.value, found.unit) == (verdict, age or 0.0, "s")
    assert only("age", "upload", status(waiting)).verdict is OK


def test_depth_and_dead_letters() -> None:
    own = replace(NONE, depth_points=limits("10:100"), dead_points=limits("0:48"))
    found = status(replace(IDLE, ready_points=60, pending_points=41, dead_points=48))

    assert only("depth", "live", found, own).message == "101 live points wait, at most 100 allowed"
    assert only("depth", "live", found, own).verdict is CRITICAL
    dead = only("dead", "live", found, own)
    assert (dead.verdict, dead.message) == (
        WARNING,
        "48 live points are dead letters, at most 0 allowed; pointq inspect live --dead",
    )


def test_workers_of_a_priority() -> None:
    lost, high = replace(WORKER, state="lost"), replace(WORKER, kinds=("live",))
    own = replace(NONE, workers=limits("2:1"))
    found = status(workers=(WORKER, high, lost))

    assert [only("workers", f"priority {p}", found, own).verdict for p in (1, 2, 3)] == [OK, WARNING, WARNING]
    assert only("workers", "priority 3", status(workers=(lost,)), own).message == (
        "no workers take priority 3, at least 1 needed; pointq work starts one"
    )


def test_a_kind_without_a_worker_beside_one_of_its_priority() -> None:
    upload = replace(WORKER, kinds=("live", "upload", "flymaster"))
    found = only("workers", "priority 2", status(workers=(upload,)), replace(NONE, workers=limits(":1")))

    assert (found.verdict, found.value) == (CRITICAL, 0)
    assert found.message == "no workers take scoring points, at least 1 needed; pointq work starts one"


@pytest.mark.parametrize(("size", "points", "verdict"), [(500, 0, OK), (1, 1, WARNING), (800, 1, WARNING), (801, 1, CRITICAL)])
def test_spool(size: int, points: int, verdict: Verdict) -> None:
    own = replace(NONE, spool_percent=Limit(0, 80))

    assert only("spool", "spool", status(spool=SpoolStatus(1, size, points)), own).verdict is verdict


@pytest.mark.parametrize(("most", "verdict"), [(1000, WARNING), (850, CRITICAL), (2000, OK), (0, OK), (None, OK)])
def test_memory_of_redis(most: int | None, verdict: Verdict) -> None:
    found = replace(status(), redis=replace(SERVER, maxmemory_bytes=most))

    assert only("memory", "redis", found, replace(NONE, redis_memory_percent=Limit(75, 90))).verdict is verdict


def test_ways_of_points() -> None:
    def found(*ways: tuple[str, bool]) -> Finding:
        servers = [IntakeStatus(via=via, since=NOON, is_open=is_open, pid=i) for i, (via, is_open) in enumerate(ways)]
        return only("intake", "intake", status(servers=servers))

    assert found(("queue", True)).verdict is OK
    assert (found(("queue", True), ("spool", True)).verdict, found(("spool", True)).message) == (
        WARNING,
        "points go by the spool",
    )
    assert (found(("spool", True), ("spool", False)).verdict, found(("spool", True), ("spool", False)).value) == (CRITICAL, 2)
    assert checked(status(), NONE, {"intake"}) == []


def test_without_redis_its_check_is_critical_and_what_it_knows_is_unknown() -> None:
    findings = checked(WITHOUT_REDIS, NONE)
    verdicts = {finding.check: finding.verdict for finding in findings}

    assert verdicts == {
        "redis": CRITICAL,
        "database": OK,
        "age": UNKNOWN,
        "depth": UNKNOWN,
        "dead": UNKNOWN,
        "workers": UNKNOWN,
        "spool": OK,
        "memory": UNKNOWN,
    }
    assert worst(findings) is CRITICAL
    assert worst(checked(WITHOUT_REDIS, NONE, {"age", "database"})) is UNKNOWN
    assert only("redis", "redis", WITHOUT_REDIS).message == "Redis at x cannot be reached"


def test_without_the_database_its_check_is_critical_alone() -> None:
    assert [f.check for f in checked(WITHOUT_DATABASE, NONE) if f.verdict is not OK] == ["database"]
    assert only("database", "database", WITHOUT_DATABASE).message.startswith("the database at y is away")


def test_the_worst_counts_and_critical_is_worse_than_unknown() -> None:
    findings = [Finding("age", "live", verdict, verdict.name) for verdict in (WARNING, OK, CRITICAL, UNKNOWN)]

    assert worst(findings) is CRITICAL
    assert [finding.verdict for finding in exceeded(findings)] == [CRITICAL, UNKNOWN, WARNING]
    assert worst([]) is UNKNOWN


def test_only_what_is_asked_for_is_checked() -> None:
    for name in CHECKS:
        assert {finding.check for finding in checked(status(), NONE, {name})} <= {name}
