"""The status document, from answers that came and answers that did not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pointq.clock import rfc3339
from pointq.errors import DatabaseError, RedisError
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, QueueFacts, RedisStatus, WorkerStatus, compose
from pointq.points.kinds import KINDS
from pointq.queue.lanes import lanes_of
from pointq.queue.measure import Measure, interpret

NOW = datetime(2026, 6, 21, 12, 0, 0, 250_000, tzinfo=UTC)
LANES = lanes_of()
IDLE = interpret(1000.0, {}, {}, "")
SERVER = RedisStatus(True, "valkey", "9.1.2", 1000, 0, "noeviction", "aof always")
DATABASE = DatabaseStatus(True, "18.4")
WORKER = WorkerStatus("w", "host", 1, (1, 2, 3), tuple(KINDS), 0.0, 0, 0.4, "running")


def queue(measure: Measure = IDLE, *workers: WorkerStatus, server: RedisStatus = SERVER) -> QueueFacts:
    return QueueFacts(server, dict.fromkeys(LANES, IDLE) | {LANES[0]: measure}, workers)


def test_all_well() -> None:
    status = compose(queue(IDLE, WORKER), DATABASE, LANES, NOW)

    assert (status.state, status.reasons, status.time) == ("ok", (), "2026-06-21T12:00:00.250Z")
    assert [(q.kind, q.priority, q.total_pending) for q in status.queues] == [
        ("live", 1, 0),
        ("upload", 2, 0),
        ("scoring", 2, 0),
        ("flymaster", 3, 0),
    ]


def test_without_redis_what_is_unknown_is_null() -> None:
    status = compose(RedisError("Redis at x cannot be reached"), DATABASE, LANES, NOW)

    assert status.state == "down"
    assert status.reasons == ("Redis at x cannot be reached",)
    assert status.queues[0].total_pending is None
    assert status.totals.accepted_points is None
    assert status.workers is None
    assert not status.redis.connected


def test_a_hanging_backend_is_named() -> None:
    status = compose(TimeoutError("no answer within 0.8 s"), TimeoutError("no answer within 0.8 s"), LANES, NOW)

    assert status.reasons == (
        "Redis: no answer within 0.8 s",
        "the database: no answer within 0.8 s; accepted points wait until it works",
    )


def test_without_the_database_points_are_still_accepted() -> None:
    status = compose(queue(IDLE, WORKER), DatabaseError("the database at y cannot be reached"), LANES, NOW)

    assert (status.state, status.reasons) == (
        "degraded",
        ("the database at y cannot be reached; accepted points wait until it works",),
    )


def test_evicting_servers_and_dead_letters_are_named() -> None:
    evicting = replace(SERVER, eviction_policy="allkeys-lru")
    status = compose(queue(replace(IDLE, dead_points=3), WORKER, server=evicting), DATABASE, LANES, NOW)

    assert status.state == "degraded"
    assert "maxmemory-policy is allkeys-lru" in status.reasons[0]
    assert status.reasons[1] == "3 live points are dead letters: pointq inspect live --dead"


def test_a_loss_of_redis_is_named_for_a_week_and_counted_for_ever() -> None:
    lost_at = NOW - timedelta(days=2)
    measured = replace(IDLE, accepted_points=50_000, stored_points=12_588, lost_points=37_412, lost_at=int(lost_at.timestamp()))

    status = compose(queue(measured, WORKER), DATABASE, LANES, NOW)
    assert status.state == "degraded"
    assert status.reasons == (
        "37,412 accepted points are neither stored nor waiting: Redis came back without its data at 2026-06-19T12:00:00Z",
    )
    assert status.redis.data_lost_at == "2026-06-19T12:00:00Z"

    later = compose(queue(measured, WORKER), DATABASE, LANES, NOW + timedelta(days=6))
    assert (later.state, later.reasons, later.totals.lost_points) == ("ok", (), 37_412)


def test_the_servers_of_this_machine_say_which_way_points_go() -> None:
    away = RedisError("Redis at x cannot be reached")
    since = rfc3339(NOW.timestamp() - 60)
    by_database = IntakeStatus("database", since, is_open=True, pid=4711, reason="no answer within 1.0 s")
    status = compose(away, DATABASE, LANES, NOW, servers=[by_database])

    assert status.state == "degraded", "they take points"
    assert "points go by the database since 2026-06-21T11:59:00Z, not by the queue: no answer within 1.0 s" in status.reasons
    refusing = replace(by_database, via="spool", is_open=False)
    status = compose(away, DATABASE, LANES, NOW, servers=[refusing])
    assert status.state == "down"
    assert "points are refused since 2026-06-21T11:59:00Z" in status.reasons[1]


def test_work_that_no_worker_takes_is_named() -> None:
    waiting = replace(IDLE, ready_points=5, pending_points=2)
    lost = replace(WORKER, state="lost")
    other = replace(WORKER, kinds=("upload", "scoring"))

    for workers in ((), (lost,), (other,)):
        status = compose(queue(waiting, *workers), DATABASE, LANES, NOW)
        assert status.reasons == ("7 live points wait and no worker takes them; `pointq work --kind live` starts one",)
    for worker in (WORKER, replace(WORKER, kinds=("live",))):
        assert compose(queue(waiting, worker), DATABASE, LANES, NOW).state == "ok"


def test_the_time_to_drain_follows_from_the_rate() -> None:
    moving = compose(queue(replace(IDLE, ready_points=500, out_rate=100.0), WORKER), DATABASE, LANES, NOW).queues[0]
    stuck = compose(queue(replace(IDLE, ready_points=500), WORKER), DATABASE, LANES, NOW).queues[0]
    empty = compose(queue(IDLE, WORKER), DATABASE, LANES, NOW).queues[0]

    assert (moving.drain_eta_seconds, stuck.drain_eta_seconds, empty.drain_eta_seconds) == (5.0, None, 0.0)


def test_shards_are_summed() -> None:
    lanes = lanes_of(shards=2)
    measures = {lane: replace(IDLE, ready_points=10, oldest_age=float(lane.shard), in_rate=1.5) for lane in lanes}
    live = compose(QueueFacts(SERVER, measures, (WORKER,)), DATABASE, lanes, NOW).queues[0]

    assert (live.ready_points, live.oldest_age_seconds, live.in_points_per_second) == (20, 1.0, 3.0)


def test_rates_are_means_of_the_last_full_seconds() -> None:
    # the ring holds 16 seconds: 984 to 999 here; the mean is over 990 to 999
    rates = {f"at:{second % 16}": str(second) for second in range(984, 1000)}
    rates |= {f"in:{second % 16}": "100" for second in range(984, 1000)}

    assert interpret(1000.0, {}, rates, "").in_rate == 100.0
    assert interpret(1005.0, {}, rates, "").in_rate == 50.0
    assert interpret(1020.0, {}, rates, "").in_rate == 0.0


def test_age_is_counted_from_the_oldest_entry_by_the_servers_clock() -> None:
    assert interpret(1000.0, {}, {}, "998500-0").oldest_age == 1.5
    assert interpret(1000.0, {}, {}, "").oldest_age is None
