"""What a spool holds, by its files alone: no lock, no record read, so anybody may ask every second."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pointq.spool import position as positions
from pointq.spool.files import told
from pointq.spool.position import Position
from pointq.spool.quarantine import counted
from pointq.spool.record import HEAD_BYTES, read_head
from pointq.spool.segment import START, Mark, listed, parse_name, read_header, read_mark
from pointq.spool.slots import slots

_TRIES = 3
"""A mark that is read while it is written may not match its checksum; the next look finds it whole."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What waits in a spool, and what was set aside. After a power loss, exact once a process has opened the spool."""

    segments: int = 0
    bytes: int = 0
    records: int = 0
    points: int = 0
    oldest_us: int | None = None
    """Time of the oldest record that waits, µs since 1970 UTC."""
    quarantined: int = 0
    quarantined_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Segment:
    bytes: int
    mark: Mark
    oldest_us: int | None


def inspect(root: Path) -> Stats:
    """What all processes of that root have spooled, dead or alive; nothing is changed. Raises SpoolError."""
    with told("be read", root):
        return total(inspect_slot(folder) for folder in slots(root))


def inspect_slot(folder: Path) -> Stats:
    """What one slot holds. Raises OSError."""
    position = positions.load(folder) or Position()
    found = [segment for path in listed(folder) if (segment := _segment(path, position)) is not None]
    quarantined, quarantined_bytes = counted(folder)
    return Stats(
        segments=len(found),
        bytes=sum(segment.bytes for segment in found),
        records=sum(segment.mark.records for segment in found),
        points=sum(segment.mark.points for segment in found),
        oldest_us=_oldest(segment.oldest_us for segment in found),
        quarantined=quarantined,
        quarantined_bytes=quarantined_bytes,
    )


def total(parts: Iterable[Stats]) -> Stats:
    """The sum of several spools."""
    parts = list(parts)
    return Stats(
        segments=sum(part.segments for part in parts),
        bytes=sum(part.bytes for part in parts),
        records=sum(part.records for part in parts),
        points=sum(part.points for part in parts),
        oldest_us=_oldest(part.oldest_us for part in parts),
        quarantined=sum(part.quarantined for part in parts),
        quarantined_bytes=sum(part.quarantined_bytes for part in parts),
    )


def _oldest(times: Iterable[int | None]) -> int | None:
    return min((time for time in times if time is not None), default=None)


def _segment(path: Path, position: Position) -> _Segment | None:
    number, salt = parse_name(path.name) or (0, 0)
    if number < position.segment:
        return None
    with suppress(FileNotFoundError):  # its owner has just deleted it
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            return _looked(fd, salt, position.within(number))
        finally:
            os.close(fd)
    return None


def _looked(fd: int, salt: int, position: Position) -> _Segment:
    mark = next((mark for _ in range(_TRIES) if (mark := read_mark(os.pread(fd, START, 0), salt))), Mark())
    waiting = Mark(mark.end, max(mark.records - position.records, 0), max(mark.points - position.points, 0))
    return _Segment(os.fstat(fd).st_size, waiting, _time_at(fd, salt, position.offset) if waiting.records else None)


def _time_at(fd: int, salt: int, offset: int) -> int | None:
    """The time of the record there; of the segment, if the record is damaged."""
    if head := read_head(os.pread(fd, HEAD_BYTES, offset), salt):
        return head.time_us
    header = read_header(os.pread(fd, START, 0))
    return header.created_us if header else None
