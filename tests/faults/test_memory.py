"""The queue is at its limit of memory, or comes back with an empty data set."""

import pytest

from tests.faults.installation import RECOVERY_SECONDS, Installation, assert_balanced, assert_prompt, lines
from tests.faults.load import Load
from tests.faults.servers import ENGINES, EVERYSEC, REDIS, VALKEY, freeze, thaw
from tests.support.until import until


@pytest.mark.parametrize(
    ("engine", "way"),
    [(VALKEY, "database"), (EVERYSEC, "spool"), (REDIS, "spool")],
    indirect=["engine"],
    ids=str,
)
def test_the_queue_is_at_maxmemory(place: Installation, seed: int, way: str) -> None:
    """Points go another way, while the workers empty the queue; then they come back to it."""
    place = place.having(serve__fallback=way)
    with place.site.serve() as server, Load(server.url, seed) as load:
        load.go_by("queue")
        until(place.waiting, "points wait in the queue")
        place.queue.configure("maxmemory", 1)
        load.go_by(way)
        with place.worker() as worker:
            until(lambda: not place.waiting(), "the worker empties the queue")
            until(lambda: states(place) == ["running"], "it is seen at work")
            load.last(1)
            assert load.ways[way] > load.ways["queue"]
            assert not lines(worker, '"error"'), worker.log
            assert len(lines(server, "the way by the queue is closed")) == 1, server.log
            assert not lines(server, "is open again"), server.log
            place.queue.configure("maxmemory", 0)
            load.go_by("queue")
            place.works(within=RECOVERY_SECONDS)
            load.end()
            place.empty()
    assert_prompt(load)
    place.check(load)


def states(place: Installation) -> list[str]:
    return [worker.state for worker in place.status().workers or ()]


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_the_queue_comes_back_empty(place: Installation, seed: int) -> None:
    """What waited is lost with its disk; the group is made anew under a running worker, and all goes on."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed, name="before") as before:
            place.works()
            before.last(0.5)
        place.empty()
        freeze(worker.process.pid)  # so that entries are there before it finds out
        place.queue.wipe()
        place.queue.start()
        with Load(server.url, seed, name="behind") as behind:
            behind.go_by("queue")
            thaw(worker.process.pid)
            place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(behind)
        assert not lines(worker, "Traceback")
    place.check(before, behind, emptied=True)
    assert_balanced(place.status().totals)
    assert place.count("accepted_points") >= len(before.accepted), "the totals outlive the data"
    assert place.count("lost_points") == 0, "nothing waited"
    assert lines(server, "came back without its data") + lines(worker, "came back without its data")


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_what_waited_in_a_lost_queue_is_all_that_is_lost(place: Installation, seed: int) -> None:
    """A worker holds batches of a queue that is gone: it stores what it has, and what comes; nothing is counted twice."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            with place.admin() as lock:
                lock.execute("BEGIN; LOCK TABLE uploaded_track_points, live_track_points IN SHARE MODE")
                load.last(1)
                place.queue.wipe()
                place.queue.start()
            load.go_by("queue")
            place.works(within=2 * RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert not lines(worker, "Traceback")
    found = set(place.stored())
    assert found <= load.accepted | load.uncertain
    status = place.status()
    assert_balanced(status.totals)
    assert 0 < len(load.accepted - found) <= (status.totals.lost_points or 0), status.totals
    assert status.redis.data_lost_at is not None
    assert any("neither stored nor waiting: Redis came back without its data" in reason for reason in status.reasons)
    assert lines(server, "points that waited there are lost") + lines(worker, "points that waited there are lost")


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_workers_of_a_full_queue_leave_each_other_alone(place: Installation, seed: int) -> None:
    """Each is seen alive by the others, however long it waits for the database: no session is ended."""
    with place.site.serve() as server, place.worker() as one, place.worker() as other:
        with Load(server.url, seed) as load:
            place.works()
            with place.admin() as lock:
                lock.execute("BEGIN; LOCK TABLE uploaded_track_points, live_track_points IN SHARE MODE")
                place.queue.configure("maxmemory", 1)
                load.last(3)
            load.go_by("database")
            place.queue.configure("maxmemory", 0)
            load.go_by("queue")
        place.empty()
        assert not lines(one, "was ended") + lines(other, "was ended")
    assert_prompt(load)
    place.check(load)
