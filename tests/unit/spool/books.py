"""A spool's folder opened for a test, and what is in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pointq.spool.directory import Directory, Room, Taken, open_directory
from pointq.spool.files import Files
from pointq.spool.record import Record
from pointq.spool.segment import listed
from pointq.spool.slots import claim

SEGMENT_BYTES = 1000
"""Small, so that tests meet the ends of segments."""

NOW_US = 1_782_043_200_000_000  # 2026-06-21T12:00:00Z


def record(number: int, size: int = 50) -> Record:
    """A record that tells which it is."""
    return Record("live", number + 1, f"{number:06d}".encode().ljust(size, b"."), NOW_US + number)


def number_of(found: Record) -> int:
    assert found == record(found.points - 1, len(found.frame))
    return found.points - 1


def own(root: Path, files: Files | None = None, segment_bytes: int = SEGMENT_BYTES) -> Directory:
    """The first free slot of a root."""
    files = files or Files()
    return claim(root, files, partial(open_directory, files=files, segment_bytes=segment_bytes, now_us=lambda: NOW_US))


@contextmanager
def owned(root: Path, files: Files | None = None, segment_bytes: int = SEGMENT_BYTES) -> Iterator[Directory]:
    directory = own(root, files, segment_bytes)
    try:
        yield directory
    finally:
        directory.close()


def take(directory: Directory, records: int = 3) -> Taken | None:
    return directory.take(Room(records, 10**6))


def drain(directory: Directory, records: int = 3) -> list[int]:
    """The numbers of all records, in order, each committed."""
    numbers: list[int] = []
    while (taken := take(directory, records)) is not None:
        numbers += map(number_of, taken.records)
        directory.commit(taken.position)
    return numbers


def segments(root: Path) -> list[Path]:
    return listed(root / "0")


def notes(root: Path) -> list[dict[str, Any]]:
    """The notes in quarantine, in the order of the damage."""
    return [json.loads(path.read_bytes()) for path in sorted((root / "0" / "quarantine").glob("*.json"))]


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
