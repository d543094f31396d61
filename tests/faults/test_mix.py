"""A random mix of all that can happen, for as long as one likes: POINTQ_TEST_MIX_SECONDS, and POINTQ_TEST_SEED to repeat it."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from pointq.ops.bench.door import Door, Trap
from tests.faults.installation import Installation
from tests.faults.load import Load
from tests.faults.servers import freeze, thaw
from tests.support.until import PATIENCE_SECONDS

SECONDS = float(os.environ.get("POINTQ_TEST_MIX_SECONDS", "15"))
LONGEST_SECONDS = 2.5
"""One fault; the next may begin before it is over."""

Mend = Callable[[], None]


class Mix:
    """An installation under load to which things happen."""

    def __init__(self, place: Installation, chance: random.Random, stack: ExitStack, load_seed: int) -> None:
        self.place = place
        self.chance = chance
        self._stack = stack
        self.server = stack.enter_context(place.site.serve())
        self.workers = [stack.enter_context(place.worker()) for _ in range(2)]
        self.load = Load(self.server.url, load_seed)
        self.faults: dict[str, Callable[[], Mend]] = {
            "a worker is killed": self.kill_worker,
            "the server is killed": self.kill_server,
            "the queue is killed": self.kill_queue,
            "the database is shut down at once": self.kill_database,
            "a worker freezes": self.freeze_worker,
            "the queue freezes": self.freeze_queue,
            "the database freezes": self.freeze_database,
            "the queue is at maxmemory": self.fill_queue,
            "the queue refuses": lambda: self.refuse(place.redis_door),
            "the database refuses": lambda: self.refuse(place.database_door),
            "the queue says nothing": lambda: self.hold(place.redis_door),
            "the database says nothing": lambda: self.hold(place.database_door),
            "the queue is slow": lambda: self.delay(place.redis_door),
            "the database is slow": lambda: self.delay(place.database_door),
            "an answer of the queue is cut": lambda: self.trap(place.redis_door, Trap(b"EVALSHA")),
            "a COPY is cut": lambda: self.trap(place.database_door, Trap(b"COPY ", after=chance.randrange(8_000))),
            "a commit is cut": lambda: self.trap(place.database_door, Trap(b"COMMIT", answered=b"COMMIT")),
            "a table is renamed": self.rename,
        }

    def kill_worker(self) -> Mend:
        place = self.chance.randrange(len(self.workers))
        self.workers[place].kill()
        return lambda: self._replace(place)

    def _replace(self, place: int) -> None:
        self.workers[place] = self._stack.enter_context(self.place.worker())

    def kill_server(self) -> Mend:
        self.server.kill()
        return self._serve

    def _serve(self) -> None:
        self.server = self._stack.enter_context(self.place.site.serve())
        self.load.url = self.server.url

    def kill_queue(self) -> Mend:
        self.place.queue.kill()
        return self.place.queue.start

    def kill_database(self) -> Mend:
        self.place.database.shut_down_at_once()
        return self.place.database.start

    def freeze_worker(self) -> Mend:
        pid = self.chance.choice(self.workers).process.pid
        freeze(pid)
        return lambda: thaw(pid)

    def freeze_queue(self) -> Mend:
        pid = self.place.queue.pid
        freeze(pid)
        return lambda: thaw(pid)

    def freeze_database(self) -> Mend:
        self.place.database.freeze()
        return self.place.database.thaw

    def fill_queue(self) -> Mend:
        self.place.queue.configure("maxmemory", 1)
        return lambda: self.place.queue.configure("maxmemory", 0)

    def rename(self) -> Mend:
        self.place.order("ALTER TABLE live_track_points RENAME TO away")
        return lambda: self.place.order("ALTER TABLE away RENAME TO live_track_points")

    def refuse(self, door: Door) -> Mend:
        door.refuse()
        return door.open

    def hold(self, door: Door) -> Mend:
        door.hold()
        return door.flow

    def delay(self, door: Door) -> Mend:
        door.delay = self.chance.uniform(0.01, 0.3)

        def mend() -> None:
            door.delay = 0.0

        return mend

    def trap(self, door: Door, trap: Trap) -> Mend:
        door.set(trap)
        return lambda: None


@contextmanager
def mixed(place: Installation, chance: random.Random, seed: int) -> Iterator[Mix]:
    with ExitStack() as stack:
        mix = Mix(place, chance, stack, seed)
        with mix.load:
            yield mix


@pytest.mark.timeout(SECONDS * 2 + PATIENCE_SECONDS * 4)
def test_a_random_mix(place: Installation, seed: int, chance: random.Random) -> None:
    with mixed(place, chance, seed) as mix:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            what = chance.choice(sorted(mix.faults))
            seconds = chance.uniform(0.1, LONGEST_SECONDS)
            print(f"{end - time.monotonic():5.1f} s before the end: {what} for {seconds:.1f} s")  # noqa: T201 - for who repeats it
            mend = mix.faults[what]()
            mix.load.last(seconds)
            mend()
            mix.load.last(chance.uniform(0, 1))
        mix.load.go_by("queue")
        mix.load.end()
        place.empty()
        assert not mix.load.refused
    place.check(mix.load)
