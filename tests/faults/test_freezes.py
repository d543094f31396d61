"""Processes are stopped where they stand, as a machine that swaps or a paused container is, and wake up again."""

import time
from contextlib import ExitStack
from datetime import datetime

import pytest

from tests.faults.installation import RECOVERY_SECONDS, SECONDS, Installation, assert_prompt, lines
from tests.faults.load import SLACK_SECONDS, Load
from tests.faults.servers import ENGINES, freeze, thaw
from tests.support.api import UPLOAD
from tests.support.points import track
from tests.support.processes import Running
from tests.support.until import PATIENCE_SECONDS, until

pytestmark = [
    pytest.mark.timeout(SECONDS * 2 + PATIENCE_SECONDS * 4),
    pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str),
]

STATUS_SECONDS = 1.0
"""In which a status answers, whatever hangs."""


def test_the_queue_is_frozen(place: Installation, seed: int, seconds: float) -> None:
    """One request finds out within its budget, the others go another way; the worker goes on when it wakes up."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            begin = time.time()
            freeze(place.queue.pid)
            load.go_by("database")
            with server.client() as client:
                health = client.get("/health")
                assert (health.status, health.json["status"], health.json["redis"]) == (200, "degraded", "disconnected")
                assert health.json["intake"]["via"] == "database"
            told = place.straight.status()["servers"]
            assert [(each["pid"], each["via"]) for each in told] == [(server.process.pid, "database")]
            assert begin - 0.001 < datetime.fromisoformat(told[0]["since"]).timestamp() < time.time()
            load.last(seconds)
            thaw(place.queue.pid)
            place.works(within=RECOVERY_SECONDS)
            load.go_by("queue")
        place.empty()
        assert_prompt(load)
        assert lines(server, "the way by the queue is closed", "no answer"), server.log
        assert not lines(worker, "Traceback")
    place.check(load)


def test_the_database_is_frozen_while_points_go_there(place: Installation, seed: int) -> None:
    """The connection is open, and says nothing: the request goes on to the spool within its budget all the same."""
    with place.site.serve() as server, place.worker():
        with Load(server.url, seed) as load:
            place.works()
            place.redis_door.refuse()
            load.go_by("database")
            place.database.freeze()
            load.go_by("spool")
            load.last(1)
            place.database.thaw()
            place.redis_door.open()
            load.go_by("queue")
        place.empty()
        assert_prompt(load)
    place.check(load)


def test_the_database_is_frozen(place: Installation, seed: int, seconds: float) -> None:
    """Points wait in the queue; the status says what it knows; nothing is a dead letter."""
    with place.site.serve() as server, place.worker():
        with Load(server.url, seed) as load:
            place.works()
            place.database.freeze()
            load.last(seconds)
            with server.client() as client:
                health = client.get("/health")
            assert (health.status, health.json["database"]) == (200, "disconnected")
            assert load.slowest < STATUS_SECONDS + SLACK_SECONDS
            place.database.thaw()
            place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert set(load.ways) == {"queue"}
    place.check(load)


def test_the_queue_and_the_database_hang(place: Installation, seed: int, seconds: float) -> None:
    """Each costs one request its share of the budget; the others go to the disk."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            place.redis_door.hold()
            place.database_door.hold()
            load.go_by("spool")
            load.last(seconds / 2)
            place.redis_door.flow()
            place.database_door.flow()
            load.go_by("queue")
        place.empty()
        assert_prompt(load)
        assert len(lines(server, "the way by the database is closed", "points go by the spool")) == 1, server.log
        assert not lines(worker, "Traceback")
    place.check(load)


def test_a_worker_freezes_in_the_middle_of_its_transaction(place: Installation) -> None:
    """Another ends its session, so that its locks are gone, and stores its batch; it wakes up and goes on."""
    points = 2_000
    with ExitStack() as stack, place.site.serve() as server, server.client() as client:

        def send(flight: str) -> None:
            assert client.post(UPLOAD, {"flight_id": flight, "track_points": track(points)}).status == 202

        victim = stack.enter_context(place.worker())
        send("before")
        until(lambda: place.done() == points, "the worker stores")
        with place.admin() as lock:
            lock.execute("BEGIN; LOCK TABLE uploaded_track_points IN SHARE MODE")
            send("held")
            until(lambda: waits_for_lock(place), "the worker's transaction waits for a lock")
            freeze(victim.process.pid)
        send("behind")
        with place.worker() as survivor:
            within = SECONDS + RECOVERY_SECONDS
            until(lambda: rows(place) == 3 * points, "the batch of the frozen worker is stored", within=within)
            until(lambda: not place.waiting(), "and deleted", within=within)
            reclaimed_once(survivor)
        thaw(victim.process.pid)
        send("after")
        until(lambda: rows(place) == 4 * points, "the worker that was frozen goes on", within=within)
        assert victim.process.poll() is None
        until(lambda: not place.waiting(), "nothing waits")
    assert place.count("stored_points", "duplicate_points") == 4 * points
    assert place.count("dead_points") == 0
    assert {row["points"] for row in place.straight.rows("SELECT points FROM flights")} == {points}


def waits_for_lock(place: Installation) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'pointq'"
    return bool(place.straight.value(query))


def rows(place: Installation) -> int:
    return int(place.straight.value("SELECT count(*) FROM uploaded_track_points"))


def reclaimed_once(survivor: Running) -> None:
    assert lines(survivor, "reclaimed"), survivor.log
