"""The embedded servers' programs, and folders for servers of a test's own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointq.embedded import wheels
from pointq.errors import EmbeddedError
from tests.support.needs import missing

_MEMORY = Path("/dev/shm")  # noqa: S108 - names in it are made by mkdtemp
_ROOM_BYTES = 4 << 30
"""A database has 50 MB, and some tests fill one with a million points."""


def embedded_programs() -> wheels.Programs:
    """Where the programs are; without them the test cannot run."""
    try:
        return wheels.find()
    except EmbeddedError as exc:
        missing(f"{exc.message}; {exc.hint}")


@contextmanager
def folder_of_a_server(prefix: str) -> Iterator[Path]:
    """Make a folder that any user may enter, as whom the server runs, with a short path for its socket, and remove it.

    In memory where there is room: servers sync what they are told, and a disk that many tests share takes its time.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _fits() else None))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _fits() -> bool:
    if not _MEMORY.is_dir() or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
