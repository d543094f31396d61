"""Each process is killed under load, several times."""

import os
from contextlib import ExitStack

import pytest

from tests.faults.installation import RECOVERY_SECONDS, Installation, assert_prompt, lines
from tests.faults.load import Load
from tests.faults.servers import ENGINES

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)

KILLS = int(os.environ.get("POINTQ_TEST_KILLS", "2"))


def test_the_worker_is_killed(place: Installation, seed: int) -> None:
    with ExitStack() as workers, place.site.serve() as server:
        worker = workers.enter_context(place.worker())
        with Load(server.url, seed) as load:
            for _ in range(KILLS):
                place.works()
                worker.kill()
                load.last(0.5)
                worker = workers.enter_context(place.worker())
            place.works()
        place.empty()
        assert_prompt(load)
    place.check(load)


def test_the_ingest_server_is_killed(place: Installation, seed: int) -> None:
    """A request that has no answer is stored, or not; what was answered before is."""
    with place.worker() as worker, ExitStack() as servers:
        server = servers.enter_context(place.site.serve())
        with Load(server.url, seed) as load:
            for _ in range(KILLS):
                place.works()
                server.kill()
                server = servers.enter_context(place.site.serve())
                load.url = server.url
                load.go_by("queue")
        place.empty()
        assert not lines(worker, "Traceback")
    assert not load.refused
    place.check(load)


def test_the_queue_is_killed(place: Installation, seed: int) -> None:
    """Points go to the database meanwhile, and back to the queue when it is back; the worker goes on by itself."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            for _ in range(KILLS):
                place.works()
                place.queue.kill()
                load.go_by("database")
                place.queue.start()
                load.go_by("queue")
                place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert len(lines(worker, "Redis", "tried again")) == KILLS, worker.log
        assert len(lines(worker, "Redis", "works again")) == KILLS, worker.log
    place.check(load)


def test_the_queue_is_demoted(place: Installation, seed: int) -> None:
    """As the old primary of a failover is: it answers, and refuses every write; then the address leads to a primary again."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            place.queue.demote()
            load.go_by("database")
            place.queue.promote()
            place.works(within=RECOVERY_SECONDS)
            load.go_by("queue")
        place.empty()
        assert_prompt(load)
        assert lines(server, "the way by the queue is closed", "read only replica"), server.log
        assert len(lines(worker, "Redis at", "tried again")) == 1, worker.log
        assert not lines(worker, "Traceback")
    place.check(load)


def test_the_database_is_shut_down_at_once(place: Installation, seed: int) -> None:
    """Nobody but the worker notices, and it goes on by itself."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            for _ in range(KILLS):
                place.works()
                place.database.shut_down_at_once()
                load.last(1)
                place.database.start()
                place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert set(load.ways) == {"queue"}
        assert len(lines(worker, "the database", "tried again")) == KILLS, worker.log
    place.check(load)
