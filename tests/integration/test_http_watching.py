"""What monitors and orchestrators ask an ingest server."""

from datetime import datetime
from typing import Any

import pytest

from tests.support.api import LIVE, UPLOAD
from tests.support.points import TABLES, point, track
from tests.support.processes import Server
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until

DOCUMENT = frozenset({"time", "state", "redis", "database", "queues", "workers", "spool", "totals", "intake", "servers"})
REDIS = frozenset(
    {"connected", "engine", "version", "used_memory_bytes", "maxmemory_bytes", "eviction_policy", "persistence", "data_lost_at"}
)
DATABASE = frozenset({"connected", "version", "timescaledb"})
QUEUE = frozenset(
    {
        "kind",
        "priority",
        "ready_batches",
        "ready_points",
        "pending_batches",
        "pending_points",
        "total_pending",
        "oldest_age_seconds",
        "dead_batches",
        "dead_points",
        "in_points_per_second",
        "out_points_per_second",
        "drain_eta_seconds",
    }
)
WORKER = frozenset({"id", "host", "pid", "priorities", "points_per_second", "stored_points", "last_seen_seconds", "state"})
SPOOL = frozenset({"segments", "bytes", "points"})
TOTALS = frozenset(f"{what}_points" for what in ("accepted", "stored", "duplicate", "rejected", "dead", "lost", "purged"))

PRIORITIES = [("live", 1), ("upload", 2), ("scoring", 2), ("flymaster", 3)]


def check_document(status: Any) -> None:
    assert set(status) >= DOCUMENT
    assert status["state"] == "ok", status
    assert datetime.fromisoformat(status["time"]).tzinfo is not None
    assert set(status["redis"]) >= REDIS
    assert status["redis"]["connected"] is True
    assert status["redis"]["eviction_policy"] == "noeviction"
    assert set(status["database"]) >= DATABASE
    assert status["database"]["connected"] is True
    assert [(queue["kind"], queue["priority"]) for queue in status["queues"]] == PRIORITIES
    assert all(set(queue) >= QUEUE for queue in status["queues"])
    assert set(status["spool"]) >= SPOOL
    assert set(status["totals"]) >= TOTALS
    assert status["workers"] == []


def test_a_server_at_rest(site: Site, server: Server) -> None:
    with server.client() as client:
        check_document(client.get("/queue/status").json)
        answer = client.get("/health")
        assert (answer.status, answer.media_type) == (200, "application/json")
        found = answer.json
        assert (found["status"], found["redis"], found["database"]) == ("healthy", "connected", "connected")
        assert set(found["queues"]) == set(TABLES)
        assert all(queue["total_pending"] == 0 for queue in found["queues"].values())
        for probe in ("/livez", "/readyz"):
            assert client.get(probe).status == 200
        old = client.get("/queue/status").json
        assert old["redis_connected"] is True
        assert old["queue_stats"] == {kind: {"queue_size": 0, "priority_queue_size": 0, "total_pending": 0} for kind in TABLES}
        assert old["processor_stats"] == {"processed": 0, "failed": 0, "last_processed": None}
    check_document(site.status())


def test_what_waits(site: Site, server: Server) -> None:
    with server.client() as client:
        client.post(UPLOAD, {"flight_id": "f", "track_points": track(7)})
        client.post(LIVE, {"flight_id": "f", "track_points": [*track(5), point(lat=91)]})
        status = until(lambda: waiting(client.get("/queue/status").json, 12), "12 points are seen to wait")
        assert client.get("/health").json["queues"]["live"]["total_pending"] == 5
        assert client.get("/health").status == 200
    for seen in (status, site.status()):
        queues = {queue["kind"]: queue for queue in seen["queues"]}
        assert [queues[kind]["ready_points"] for kind, _ in PRIORITIES] == [5, 7, 0, 0]
        assert [queues[kind]["pending_points"] for kind, _ in PRIORITIES] == [0, 0, 0, 0]
        assert [queues[kind]["total_pending"] for kind, _ in PRIORITIES] == [5, 7, 0, 0]
        assert queues["upload"]["ready_batches"] == 1
        assert 0 <= queues["upload"]["oldest_age_seconds"] < PATIENCE_SECONDS
        assert queues["scoring"]["oldest_age_seconds"] is None
        assert seen["totals"]["accepted_points"] == 12
        assert seen["totals"]["rejected_points"] == 1
    assert status["queue_stats"]["upload"] == {"queue_size": 7, "priority_queue_size": 0, "total_pending": 7}


def waiting(status: Any, count: int) -> Any:
    return status if sum(queue["total_pending"] for queue in status["queues"]) == count else None


def test_workers_and_what_they_did(site: Site, server: Server) -> None:
    with server.client() as client:
        client.post(LIVE, {"flight_id": "f", "track_points": track(3)})
        with site.work():
            (worker,) = until(lambda: client.get("/queue/status").json["workers"], "a worker is listed")
            assert set(worker) >= WORKER
            assert sorted(worker["priorities"]) == [1, 2, 3]
            assert worker["last_seen_seconds"] < PATIENCE_SECONDS
            until(lambda: client.get("/queue/status").json["processor_stats"]["processed"] == 3, "monitors see 3 points stored")
            stats = client.get("/queue/status").json["processor_stats"]
            assert stats["failed"] == 0
            assert datetime.fromisoformat(stats["last_processed"]).tzinfo is not None
        until(lambda: not client.get("/queue/status").json["workers"], "the worker that ended is no longer listed")


@pytest.mark.parametrize("path", ["/health", "/queue/status", "/livez", "/readyz"])
def test_the_wrong_method(server: Server, path: str) -> None:
    with server.client() as client:
        assert client.post(path, {}).status == 405
