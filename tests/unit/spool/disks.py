"""File systems that fail: the real one, with errors put in, or with what a power loss leaves of it."""

import errno
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pointq.spool.files import Files

CALLS = ("create", "open", "read_at", "write_at", "sync", "close", "rename", "remove", "make_folder", "sync_folder")
"""All but truncate, which is called only behind a failure."""

_ZEROS = 0.3
"""How often a file has grown by bytes that never came: XFS and ext4 without `data=ordered` do that."""


class QuickFiles(Files):
    """Syncs nothing, since no test cuts the power: that takes most of the time."""

    def sync(self, fd: int) -> None:
        assert os.fstat(fd)

    def sync_folder(self, path: Path) -> None:
        assert path.is_dir()


class FaultyFiles(QuickFiles):
    """Fails where `faulty` says so, given the name of the call and how many of that name came before."""

    def __init__(self, faulty: Callable[[str, int], OSError | None] = lambda _name, _count: None) -> None:
        self.faulty = faulty
        self.calls: Counter[str] = Counter()
        self.short = False
        """Whether a write takes half of what it is given."""

    def _fail(self, name: str) -> None:
        count = self.calls[name]
        self.calls[name] += 1
        if exc := self.faulty(name, count):
            raise exc

    def create(self, path: Path) -> int:
        self._fail("create")
        return super().create(path)

    def open(self, path: Path, *, write: bool = False) -> int:
        self._fail("open")
        return super().open(path, write=write)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        self._fail("read_at")
        return super().read_at(fd, size, offset)

    def write_at(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        try:
            self._fail("write_at")
        except OSError:
            # a disk that fills up takes a part first
            super().write_at(fd, data[: len(data) // 2], offset)
            raise
        return super().write_at(fd, data[: len(data) // 2 + 1] if self.short else data, offset)

    def truncate(self, fd: int, size: int) -> None:
        self._fail("truncate")
        super().truncate(fd, size)

    def sync(self, fd: int) -> None:
        self._fail("sync")
        super().sync(fd)

    def close(self, fd: int) -> None:
        super().close(fd)
        self._fail("close")

    def rename(self, old: Path, new: Path) -> None:
        self._fail("rename")
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._fail("remove")
        super().remove(path)

    def make_folder(self, path: Path) -> None:
        self._fail("make_folder")
        super().make_folder(path)

    def sync_folder(self, path: Path) -> None:
        self._fail("sync_folder")
        super().sync_folder(path)


class BadSectorFiles(FaultyFiles):
    """One byte of a file cannot be read."""

    def __init__(self, path: Path, at: int) -> None:
        super().__init__()
        self._file = path.stat().st_ino
        self._at = at

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino == self._file and offset <= self._at < offset + size:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read_at(fd, size, offset)


def failing(name: str, at: int, number: int = errno.EIO, *, times: int = 1) -> Callable[[str, int], OSError | None]:
    """The call of that name fails from its `at`-th on, so many times."""

    def faulty(called: str, count: int) -> OSError | None:
        return OSError(number, os.strerror(number)) if called == name and at <= count < at + times else None

    return faulty


class PowerLoss(BaseException):
    """The machine stops here; no code of the process runs any more, so nothing may catch it."""


class LossyFiles(FaultyFiles):
    """Remembers what was synced; `lose_power` leaves of the rest what chance leaves of it.

    Of a file: what was synced, each later change of it made or not, and a part of what was appended since, which may be
    zeros. Of a folder: the entries of its last sync, each later change made or not.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self._file_of: dict[int, int] = {}  # inodes are used again, so files have numbers of our own
        self._files = 0
        self._synced: dict[int, bytes] = {}
        self._deleted: dict[int, bytes] = {}
        self._entries: dict[Path, dict[str, int]] = {}

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self._is_new(path)
        return fd

    def sync(self, fd: int) -> None:
        super().sync(fd)
        status = os.fstat(fd)
        self._synced[self._file_of[status.st_ino]] = os.pread(fd, status.st_size, 0)

    def remove(self, path: Path) -> None:
        if path.exists():
            self._deleted[self._file(path)] = path.read_bytes()
        super().remove(path)

    def rename(self, old: Path, new: Path) -> None:
        if new.exists():
            self._deleted[self._file(new)] = new.read_bytes()
        super().rename(old, new)

    def sync_folder(self, path: Path) -> None:
        super().sync_folder(path)
        self._entries[path] = self._now_in(path)

    def lose_power(self, chance: random.Random) -> None:
        """What a machine finds when it starts again. Every descriptor must be closed."""
        for folder in [path for path in self._root.rglob("*") if path.is_dir()]:
            self._fall_back(folder, chance)
            self._entries[folder] = self._now_in(folder)
        self._deleted.clear()

    def _fall_back(self, folder: Path, chance: random.Random) -> None:
        before, now = self._entries.get(folder, {}), self._now_in(folder)
        left: dict[str, bytes] = {}
        for name in sorted(before.keys() | now.keys()):
            file = chance.choice((before.get(name), now.get(name)))
            if file is not None:
                content = (folder / name).read_bytes() if now.get(name) == file else self._deleted[file]
                left[name] = self._content(file, content, chance)
        for name in now:
            (folder / name).unlink()
        for name, content in left.items():
            (folder / name).write_bytes(content)
            self._synced[self._is_new(folder / name)] = content

    def _content(self, file: int, now: bytes, chance: random.Random) -> bytes:
        synced = self._synced.get(file, b"")
        start = chance.choice((synced, now[: len(synced)]))
        behind = now[len(synced) : chance.randint(len(synced), max(len(now), len(synced)))]
        return start + (bytes(len(behind)) if chance.random() < _ZEROS else behind)

    def _now_in(self, folder: Path) -> dict[str, int]:
        return {path.name: self._file(path) for path in folder.iterdir() if path.is_file() and path.name != "lock"}

    def _file(self, path: Path) -> int:
        return self._file_of[path.stat().st_ino]

    def _is_new(self, path: Path) -> int:
        self._files += 1
        self._file_of[path.stat().st_ino] = self._files
        return self._files
