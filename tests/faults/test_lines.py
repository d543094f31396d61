"""The lines between pointq and its servers are slow, or cut at the worst moments."""

import pytest

from pointq.ops.bench.door import Trap
from tests.faults.installation import RECOVERY_SECONDS, Installation, assert_prompt, lines
from tests.faults.load import Load
from tests.support.until import until

LATENCY_SECONDS = 0.1
TIMES = 3


def test_latency(place: Installation, seed: int) -> None:
    with place.site.serve() as server, place.worker() as worker:
        place.redis_door.delay = place.database_door.delay = LATENCY_SECONDS / 2
        with Load(server.url, seed) as load:
            load.go_by("queue")
            place.works()
            load.last(1)
        place.empty()
        assert_prompt(load)
        assert set(load.ways) == {"queue"}
        assert not lines(worker, "tried again"), worker.log
        assert not lines(server, '"error"'), server.log
        place.redis_door.delay = place.database_door.delay = 0
    place.check(load)


CUTS = {
    "in the middle of a COPY": lambda: Trap(b"COPY ", after=4_000),
    "in the middle of the answer to a COPY's COMMIT": lambda: Trap(b"COMMIT", answered=b"COMMIT"),
    "in the middle of the answer to an INSERT": lambda: Trap(b"", answered=b"INSERT 0"),
}


@pytest.mark.parametrize("where", CUTS)
def test_a_line_to_the_database_is_cut(place: Installation, seed: int, where: str) -> None:
    """Where it is unknown whether the points were committed they are written again, and are there once."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            for _ in range(TIMES):
                place.works()
                trap = place.database_door.set(CUTS[where]())
                until(trap.sprung.is_set, f"the line is cut {where}")
                place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert lines(worker, "the database", "works again"), worker.log
        assert not lines(worker, "Traceback")
    place.check(load)


def test_answers_of_the_queue_are_cut(place: Installation, seed: int) -> None:
    """Whether the points are in the queue is unknown, so they take another way; they are in the table once."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            for _ in range(2 * TIMES):
                load.go_by("queue")
                trap = place.redis_door.set(Trap(b"EVALSHA"))
                until(trap.sprung.is_set, "the line is cut in the middle of an answer")
                place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert not lines(worker, "Traceback")
    place.check(load)


def test_all_lines_are_cut_again_and_again(place: Installation, seed: int) -> None:
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            for _ in range(3 * TIMES):
                load.last(0.1)
                place.redis_door.cut()
                load.last(0.1)
                place.database_door.cut()
            load.go_by("queue")
            place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert not lines(worker, "Traceback")
    place.check(load)
