"""What the spool asks of the file system, call by call, so that a test can make any of them fail."""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pointq.errors import SpoolError

TEMPORARY = ".new"
"""Suffix of a file that is not whole yet; one that a crash left is worth nothing."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)


class Files:
    """The real file system. Every call raises OSError where it fails."""

    def create(self, path: Path) -> int:
        """A descriptor of a new file that only its owner may read; FileExistsError if it is there."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def open(self, path: Path, *, write: bool = False) -> int:
        """A descriptor of a file that is there."""
        return os.open(path, (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC | os.O_NOFOLLOW)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""
        return os.pread(fd, size, offset)

    def write_at(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Write; the number of bytes may be smaller than asked."""
        return os.pwrite(fd, data, offset)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Return when the file is on the disk itself."""
        if _FULL_SYNC is not None:
            # on macOS an fsync leaves the data in the disk's own cache
            fcntl.fcntl(fd, _FULL_SYNC)
        else:
            os.fsync(fd)

    def close(self, fd: int) -> None:
        """Close the descriptor."""
        os.close(fd)

    def rename(self, old: Path, new: Path) -> None:
        """Rename, over what is there."""
        old.rename(new)

    def remove(self, path: Path) -> None:
        """Delete a file."""
        path.unlink()

    def make_folder(self, path: Path) -> None:
        """Make a folder that only its owner may enter; FileExistsError if it is there."""
        path.mkdir(mode=0o700)

    def sync_folder(self, path: Path) -> None:
        """Return when it is on the disk which files the folder holds."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def write_all(files: Files, fd: int, data: bytes, offset: int) -> None:
    """Write all of it, however many calls that takes."""
    rest = memoryview(data)
    while rest:
        written = files.write_at(fd, rest, offset)
        if not written:
            raise OSError(errno.EIO, "the file takes no more bytes and does not say why")
        rest, offset = rest[written:], offset + written


def place(files: Files, path: Path, chunks: Iterable[bytes]) -> None:
    """Put a file there in one step that survives a power loss: nobody finds half of it, whenever the machine stops."""
    fresh = path.with_name(path.name + TEMPORARY)
    with suppress(FileNotFoundError):
        # a new file, not the one of a failed attempt: its pages may pass for clean (see `writer`)
        files.remove(fresh)
    try:
        _write_new(files, fresh, chunks)
        files.rename(fresh, path)
    except OSError:
        with suppress(OSError):
            files.remove(fresh)
        raise
    files.sync_folder(path.parent)


def _write_new(files: Files, path: Path, chunks: Iterable[bytes]) -> None:
    fd, size = files.create(path), 0
    try:
        for chunk in chunks:
            write_all(files, fd, chunk, size)
            size += len(chunk)
        files.sync(fd)
    finally:
        files.close(fd)


def make_folders(files: Files, path: Path) -> None:
    """Make the folder and those above it where they are missing, and see them onto the disk."""
    if path.is_dir():
        return
    make_folders(files, path.parent)
    with suppress(FileExistsError):
        files.make_folder(path)
    files.sync_folder(path.parent)


@contextmanager
def told(what: str, folder: Path) -> Iterator[None]:
    """Turn an OSError into a SpoolError that says what failed and what to do."""
    try:
        yield
    except OSError as exc:
        raise SpoolError(f"the spool in {folder} cannot {what}: {exc.strerror or exc}", hint=_hint(exc, folder)) from exc


def _hint(exc: OSError, folder: Path) -> str:
    if exc.errno in _FULL:
        return f"make room on the file system of {folder}"
    if exc.errno in _REFUSED:
        return f"make {folder} writable for the user that runs pointq"
    return f"look at the disk under {folder}: the kernel's log says more"
