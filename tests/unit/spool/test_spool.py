"""The spool in an event loop: groups, bounds, errors that say what to do, and an orderly end."""

import asyncio
import errno
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pointq.errors import BackendError, SpoolError
from pointq.spool.files import Files
from pointq.spool.record import Record
from pointq.spool.segment import START
from pointq.spool.spool import Spool
from pointq.spool.stats import Stats
from tests.unit.spool.books import NOW_US, number_of, record, segments
from tests.unit.spool.disks import FaultyFiles, failing

SIZE = record(0).size


class SlowFiles(FaultyFiles):
    """Every fsync of a segment waits for its signal, as on a disk that is busy."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.began = threading.Event()

    def sync(self, fd: int) -> None:
        self.began.set()
        assert self.go.wait(30)
        super().sync(fd)


@asynccontextmanager
async def opened(
    root: Path, files: Files | None = None, *, most_bytes: int = 10**6, segment_bytes: int = 10**5
) -> AsyncIterator[Spool]:
    spool = await Spool.open(root, files=files, most_bytes=most_bytes, segment_bytes=segment_bytes, now_us=lambda: NOW_US)
    try:
        yield spool
    finally:
        await spool.close()


async def drain(spool: Spool) -> list[int]:
    numbers: list[int] = []
    while (taken := await spool.take(records=3)) is not None:
        numbers += map(number_of, taken.records)
        await spool.commit(taken)
    return numbers


async def test_what_is_appended_is_taken(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([record(0), record(1)])
        await spool.append([])
    async with opened(tmp_path) as spool:
        await spool.append([record(2)])
        assert await drain(spool) == [0, 1, 2]
        assert await spool.take() is None


async def test_appends_that_come_together_share_an_fsync(tmp_path: Path) -> None:
    files = SlowFiles()
    files.go.set()
    async with opened(tmp_path, files) as spool:
        await spool.append([record(0)])
        files.go.clear()
        files.began.clear()
        before = files.calls["sync"]
        first = asyncio.create_task(spool.append([record(1)]))
        await asyncio.to_thread(files.began.wait)
        others = [asyncio.create_task(spool.append([record(n)])) for n in range(2, 100)]
        # the loop is free meanwhile, and nobody is told anything yet
        await asyncio.sleep(0)
        assert not any(task.done() for task in [first, *others])
        assert spool.bytes == START + 100 * SIZE
        files.go.set()
        await asyncio.gather(first, *others)

        assert files.calls["sync"] - before == 2
        assert await drain(spool) == list(range(100))


async def test_a_group_is_no_larger_than_a_segment(tmp_path: Path) -> None:
    async with opened(tmp_path, segment_bytes=START + 10 * SIZE) as spool:
        await asyncio.gather(*(spool.append([record(n)]) for n in range(35)))

        assert max(path.stat().st_size for path in segments(tmp_path)) <= START + 10 * SIZE
        assert await drain(spool) == list(range(35))


async def test_a_full_spool_takes_what_fits_and_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, most_bytes=2 * START + 3 * SIZE) as spool:
        results = await asyncio.gather(*(spool.append([record(n)]) for n in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [type(None)] * 3 + [SpoolError] * 2
        refusal = results[-1]
        assert isinstance(refusal, BackendError)
        assert re.match(r"the spool is full: \d+ of 394 bytes in .*0 wait for Redis, and 94 more do not fit", str(refusal))
        assert "drains by itself" in str(refusal.hint)

        assert await drain(spool) == [0, 1, 2]
        await spool.append([record(5)])
        assert await drain(spool) == [5]


async def test_the_bound_holds_for_what_was_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.append([record(n) for n in range(3)])
    async with opened(tmp_path, most_bytes=2 * START + 3 * SIZE) as spool:
        with pytest.raises(SpoolError, match="the spool is full"):
            await spool.append([record(3)])


@pytest.mark.parametrize(
    ("number", "why", "hint"),
    [
        (errno.ENOSPC, "No space left on device", "make room on the file system of"),
        (errno.EIO, "Input/output error", "the kernel's log says more"),
        (errno.EROFS, "Read-only file system", "writable for the user that runs pointq"),
    ],
)
async def test_a_disk_that_fails_is_told_with_what_to_do(tmp_path: Path, number: int, why: str, hint: str) -> None:
    files = FaultyFiles()
    async with opened(tmp_path, files) as spool:
        await spool.append([record(0)])
        files.faulty = failing("write_at", files.calls["write_at"], number)
        results = await asyncio.gather(*(spool.append([record(n)]) for n in (1, 2)), return_exceptions=True)
        for result in results:
            assert isinstance(result, SpoolError)
            assert result.message == f"the spool in {tmp_path / '0'} cannot take records: {why}"
            assert hint in str(result.hint)
        await spool.append([record(3)])
        assert await drain(spool) == [0, 3]
        assert spool.bytes == 0


async def test_reading_and_committing_tell_too(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with opened(tmp_path, files) as spool:
        await spool.append([record(0)])
        files.faulty = failing("open", files.calls["open"], errno.EMFILE)
        with pytest.raises(SpoolError, match="cannot be read: Too many open files"):
            await spool.take()
        files.faulty = failing("remove", files.calls["remove"], errno.EROFS)
        taken = await spool.take()
        assert taken is not None
        with pytest.raises(SpoolError, match="cannot note what was read: Read-only file system"):
            await spool.commit(taken)
        await spool.commit(taken)
        assert await spool.take() is None


async def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match=r"the spool in .*file/spool cannot be opened: Not a directory"):
        await Spool.open(tmp_path / "file" / "spool")


async def test_a_caller_who_is_cancelled_stops_nobody_else(tmp_path: Path) -> None:
    files = SlowFiles()
    files.go.set()
    async with opened(tmp_path, files) as spool:
        await spool.append([record(0)])
        files.go.clear()
        files.began.clear()
        impatient = asyncio.create_task(spool.append([record(1)]))
        await asyncio.to_thread(files.began.wait)
        patient = asyncio.create_task(spool.append([record(2)]))
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        files.go.set()
        await patient
        assert await drain(spool) == [0, 1, 2]


async def test_a_defect_reaches_those_who_met_it_alone(tmp_path: Path) -> None:
    files = FaultyFiles()
    async with opened(tmp_path, files) as spool:
        files.faulty = lambda name, _count: _defect() if name == "write_at" else None
        with pytest.raises(ZeroDivisionError):
            await spool.append([record(0)])
        files.faulty = failing("none", 0)
        await spool.append([record(1)])
        assert 1 in await drain(spool)


def _defect() -> OSError:
    raise ZeroDivisionError


async def test_closing_finishes_what_has_begun(tmp_path: Path) -> None:
    files = SlowFiles()
    files.go.set()
    async with opened(tmp_path, files) as spool:
        await spool.append([record(0)])
        files.go.clear()
        files.began.clear()
        append = asyncio.create_task(spool.append([record(1)]))
        await asyncio.to_thread(files.began.wait)
        close = asyncio.create_task(spool.close())
        await asyncio.sleep(0)
        assert not close.done()
        with pytest.raises(SpoolError, match="is closed"):
            await spool.append([record(2)])
        files.go.set()
        await close
        await append
        await spool.close()
        with pytest.raises(SpoolError, match="is closed"):
            await spool.take()
    async with opened(tmp_path) as spool:
        assert await drain(spool) == [0, 1]


async def test_what_dead_processes_left_comes_after_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool, opened(tmp_path) as living:
        async with opened(tmp_path) as dead:
            assert (spool.slot, living.slot, dead.slot) == (0, 1, 2)
            await dead.append([record(7)])
        await spool.append([record(0)])
        await living.append([record(9)])
        assert await drain(spool) == [0, 7]
        assert await drain(living) == [9]


async def test_stats_are_those_of_all_slots(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool, opened(tmp_path) as other:
        assert await spool.stats() == Stats()
        await other.append([record(3)])
        await spool.append([record(4), Record("live", 10, b"", NOW_US + 10**6)])
        found = await spool.stats()
        assert (found.segments, found.records, found.points) == (2, 3, 19)
        assert found.bytes == spool.bytes + other.bytes
        assert found.oldest_us == NOW_US + 3
        taken = await spool.take(records=1)
        assert taken is not None
        await spool.commit(taken)
        await drain(other)
        found = await spool.stats()
        assert (found.segments, found.records, found.points, found.oldest_us) == (1, 1, 10, NOW_US + 10**6)
