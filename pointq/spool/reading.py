"""Reading a segment's file: what the disk cannot give back is told apart from what a process cannot do just now."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointq.spool.files import Files
from pointq.spool.scan import ReadAt

_BAD_DISK = frozenset(getattr(errno, name) for name in ("EIO", "EBADMSG", "EUCLEAN") if hasattr(errno, name))
"""A sector that cannot be read, and what ext4 and XFS say where their own checksums do not match."""


class Unreadable(OSError):
    """The disk does not give back what was written there."""

    def __init__(self, offset: int, cause: OSError) -> None:
        super().__init__(cause.errno, f"the disk cannot read at offset {offset}: {cause.strerror or cause}")


@contextmanager
def opened(files: Files, path: Path) -> Iterator[ReadAt]:
    """How to read the file, while the block lasts. Reading raises Unreadable where the disk fails."""
    fd = files.open(path)
    try:
        yield reader(files, fd)
    finally:
        files.close(fd)


def reader(files: Files, fd: int) -> ReadAt:
    """How to read from that descriptor."""

    def read_at(offset: int, size: int) -> bytes:
        try:
            return files.read_at(fd, size, offset)
        except OSError as exc:
            if exc.errno in _BAD_DISK:
                raise Unreadable(offset, exc) from exc
            raise

    return read_at
