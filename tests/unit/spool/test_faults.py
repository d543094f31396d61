"""Every call to the file system fails once, at every place; nothing acknowledged is lost, and the spool goes on."""

import errno
import itertools
import logging
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pointq.spool.directory import Directory
from tests.unit.spool.books import SEGMENT_BYTES, drain, notes, number_of, owned, record, segments, take
from tests.unit.spool.disks import CALLS, FaultyFiles, failing

_APPENDS = 24


def _work(directory: Directory, acknowledged: list[int], read: list[int]) -> None:
    """Appends and reads; a step that fails is left out, as a server does that answers 503 and tries the next."""
    for n in range(_APPENDS):
        try:
            directory.append([record(2 * n), record(2 * n + 1)])
            acknowledged += [2 * n, 2 * n + 1]
        except OSError:
            pass
        try:
            if n % 3 == 2 and (taken := take(directory, 3)):
                read += map(number_of, taken.records)
                directory.commit(taken.position)
        except OSError:
            pass


def _run(root: Path, files: FaultyFiles) -> tuple[list[int], list[int]]:
    acknowledged: list[int] = []
    read: list[int] = []
    try:
        with owned(root, files) as directory:
            _work(directory, acknowledged, read)
    except OSError:
        pass  # it could not be opened
    with owned(root) as directory:
        read += drain(directory)
    return acknowledged, read


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", [*CALLS, "sync, truncate", "write_at, truncate"])
def test_one_failure_anywhere_loses_nothing(tmp_path: Path, call: str, number: int) -> None:
    for at in itertools.count():
        files = FaultyFiles(_failing_once(call, at, number))
        root = tmp_path / str(at)
        acknowledged, read = _run(root, files)
        if files.calls[call.split(",", maxsplit=1)[0]] <= at:
            break
        assert set(acknowledged) <= set(read), f"{call} {at}"
        assert notes(root) == [], f"{call} {at}"
    assert at > 1


def _failing_once(call: str, at: int, number: int) -> Callable[[str, int], OSError | None]:
    """One call fails, or one and then each that should clear up behind it."""
    name, _, then = call.partition(", ")
    first, second = failing(name, at, number), failing(then, 0, number, times=10**6)
    return lambda called, count: first(called, count) or second(called, count)


def test_short_writes_are_finished(tmp_path: Path) -> None:
    files = FaultyFiles()
    files.short = True

    assert _run(tmp_path, files) == (list(range(2 * _APPENDS)), list(range(2 * _APPENDS)))


def test_after_a_failed_fsync_the_file_is_left_alone(tmp_path: Path) -> None:
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        directory.append([record(0)])
        (first,) = segments(tmp_path)
        size = first.stat().st_size
        files.faulty = failing("sync", files.calls["sync"])
        with pytest.raises(OSError, match="Input/output error"):
            directory.append([record(1)])
        directory.append([record(2)])

        assert first.stat().st_size == size
        assert len(segments(tmp_path)) == 2
        assert drain(directory) == [0, 2]


def test_what_a_failed_append_left_and_nobody_could_cut_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        directory.append([record(0)])
        write, cut = failing("write_at", files.calls["write_at"], errno.ENOSPC), failing("truncate", 0)
        files.faulty = lambda name, count: write(name, count) or cut(name, count)
        with pytest.raises(OSError, match="No space left"):
            directory.append([record(1), record(2), record(3)])
        directory.append([record(4)])
    with caplog.at_level(logging.INFO), owned(tmp_path) as directory:
        read = drain(directory)

    # a whole record of the append was written, and may come; the half one must not
    assert read == [0, 1, 4]
    assert notes(tmp_path) == []
    assert "are an append that never finished" in caplog.text


def test_a_full_disk_leaves_no_rubbish(tmp_path: Path) -> None:
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        for faulty in ("write_at", "sync", "rename", "sync_folder", "create"):
            files.faulty = failing(faulty, files.calls[faulty], errno.ENOSPC, times=5)
            for _ in range(5):
                with pytest.raises(OSError, match="No space left"):
                    directory.append([record(0)])
        files.faulty = failing("none", 0)
        assert [path.name for path in (tmp_path / "0").iterdir()] == ["lock"]
        assert directory.bytes == 0


def test_a_full_disk_is_drained_although_the_position_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        for n in range(30):
            directory.append([record(n)])
        files.faulty = failing("create", files.calls["create"], errno.ENOSPC, times=10**6)

        assert drain(directory) == list(range(30))
        assert segments(tmp_path) == []
    assert caplog.text.count("No space left on device; after a crash now, some of it is read again") == 1


def test_a_mark_that_cannot_be_written_fails_no_append(tmp_path: Path) -> None:
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        directory.append([record(0)])
        files.faulty = failing("write_at", files.calls["write_at"] + 1)
        directory.append([record(1)])
    with owned(tmp_path) as directory:
        assert drain(directory) == [0, 1]


def test_a_limit_of_the_kernel_cuts_a_write_short(tmp_path: Path) -> None:
    """No injection: RLIMIT_FSIZE makes the kernel take a part of a write and refuse the rest."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with owned(tmp_path, segment_bytes=10**6) as directory:
            directory.append([record(0)])
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
            with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
                directory.append([record(1, SEGMENT_BYTES)])
            directory.append([record(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    with owned(tmp_path) as directory:
        assert drain(directory) == [0, 2]
    assert notes(tmp_path) == []
