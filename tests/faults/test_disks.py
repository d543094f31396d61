"""The disk under the append-only file or under the spool is full."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointq.spool.stats import inspect
from tests.faults.installation import RECOVERY_SECONDS, Installation, assert_prompt, lines
from tests.faults.load import MANY, Load, Sent
from tests.faults.servers import EVERYSEC, VALKEY, Engine, QueueServer
from tests.support.until import until

BALLAST = "ballast"
DISK_BYTES = 8 * 2**20
QUEUE_ROOM_BYTES = 60_000
SPOOL_ROOM_BYTES = 8_192
"""What is left of a small disk for the data of a test."""


def small_disk(at: Path, size: int = DISK_BYTES) -> None:
    """Mount a file system of so many bytes; only root can."""
    command = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "pointq-test", str(at))
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system needs root and the right to mount one")


@contextmanager
def mounted(at: Path) -> Iterator[Path]:
    at.mkdir(parents=True, exist_ok=True)
    small_disk(at)
    try:
        yield at
    finally:
        subprocess.run(("umount", "--lazy", str(at)), check=True)  # noqa: S607 - of the system


def fill(disk: Path, room: int) -> Path:
    """Fill a small disk up to some room; the file that does."""
    ballast = disk / BALLAST
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - room)
    return ballast


@pytest.mark.parametrize("engine", [VALKEY, EVERYSEC], indirect=True, ids=str)
def test_the_disk_under_the_queue_is_full(place: Installation, seed: int, engine: Engine) -> None:
    """A server that syncs always ends itself, one that syncs every second refuses; both with nothing lost."""
    place.queue.kill()
    with mounted(place.queue.data) as disk:
        place.queue.start()
        outlives(place, seed, engine, lambda: fill(disk, QUEUE_ROOM_BYTES), (disk / BALLAST).unlink)
        place.queue.kill()


@pytest.mark.parametrize("engine", [VALKEY, EVERYSEC], indirect=True, ids=str)
def test_the_append_only_file_takes_no_more(place: Installation, seed: int, engine: Engine) -> None:
    """The same without a small file system, which only root can mount: the limit of a file's size refuses its writes."""

    def limit() -> None:
        size = max(path.stat().st_size for path in place.queue.data.rglob("*.aof"))
        resource.prlimit(place.queue.pid, resource.RLIMIT_FSIZE, (size + QUEUE_ROOM_BYTES, resource.RLIM_INFINITY))

    def lift() -> None:
        if place.queue.alive:
            resource.prlimit(place.queue.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    outlives(place, seed, engine, limit, lift)


def outlives(place: Installation, seed: int, engine: Engine, take: Callable[[], object], give: Callable[[], object]) -> None:
    """Take the room of the queue's data away and give it back, under load."""
    with place.site.serve() as server, place.worker() as worker:
        with Load(server.url, seed) as load:
            place.works()
            take()
            load.go_by("database")
            load.last(1)
            give()
            revive(place.queue, engine)
            load.go_by("queue")
            place.works(within=RECOVERY_SECONDS)
        place.empty()
        assert_prompt(load)
        assert not lines(worker, "Traceback")
    place.check(load)


def revive(queue: QueueServer, engine: Engine) -> None:
    if engine is VALKEY:
        until(lambda: not queue.alive, "the server ends itself")
        queue.start()


def full(sent: Sent) -> bool:
    return sent.status == 503


def away(place: Installation) -> None:
    place.redis_door.refuse()
    place.database_door.refuse()


def back(place: Installation) -> None:
    place.redis_door.open()
    place.database_door.open()


def assert_full_well(load: Load) -> None:
    """Refusals say that they are no defect, and when to come again."""
    assert load.refused
    assert {sent.status for sent in load.refused} == {503}
    assert all(sent.retry_after for sent in load.refused)


def test_the_disk_under_the_spool_is_full(place: Installation, seed: int) -> None:
    """Redis and the database are away, and then there is no room: 503, until the spool drains and has room again."""
    with mounted(place.spool) as disk, place.site.serve() as server, place.worker():
        fill(disk, SPOOL_ROOM_BYTES)
        with Load(server.url, seed, MANY) as load:
            place.works()
            away(place)
            load.go_by("spool")
            load.answers(full, "a request is refused")
            with server.client() as client:
                until(lambda: client.get("/readyz").status == 503, "the server says that it takes no points")
            back(place)
            load.go_by("queue")
        place.empty()
        assert_full_well(load)
        assert not lines(server, "Traceback"), server.log
        place.check(load)


def test_a_segment_of_the_spool_takes_no_more(place: Installation, seed: int) -> None:
    """The limit of a file's size cuts a write in two: what was answered before is read, and the next segment begins."""
    with place.site.serve() as server, place.worker():
        with Load(server.url, seed, MANY) as load:
            place.works()
            away(place)
            load.go_by("spool")
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
            load.answers(full, "a request is refused")
            load.go_by("spool")
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            back(place)
            load.go_by("queue")
        place.empty()
        assert_full_well(load)
        assert not lines(server, "Traceback"), server.log
    place.check(load)


def test_the_spool_is_at_its_bound(place: Installation, seed: int) -> None:
    """So many bytes and no more; the rest is refused, and what is there is stored when Redis is back."""
    place = place.having(spool__max_bytes="5000")
    with place.site.serve() as server, place.worker():
        with Load(server.url, seed, MANY) as load:
            place.works()
            away(place)
            load.go_by("spool")
            load.answers(full, "a request is refused")
            assert 0 < inspect(place.spool).bytes <= 5_000
            back(place)
            load.go_by("queue")
        place.empty()
        assert_full_well(load)
    place.check(load)
