"""How far a spool was read: one line of text in the file `position`, replaced in one step.

`pointq-spool 1 <segment> <offset> <records> <points> <CRC-32 of what stands before it, 8 hex digits>`; records and points are
those of that segment that were read. A position that cannot be trusted counts as none: all that is there is read once more,
which the database makes harmless.
"""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from pointq.spool.segment import START

NAME = "position"

_FIRST = ("pointq-spool", "1")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Everything before that offset of that segment was handed on, and that many records and points of the segment."""

    segment: int = 0
    offset: int = START
    records: int = 0
    points: int = 0

    def pack(self) -> bytes:
        """The content of the file."""
        text = " ".join([*_FIRST, *map(str, (self.segment, self.offset, self.records, self.points))])
        return f"{text} {crc32(text.encode()):08x}\n".encode()

    def within(self, segment: int) -> "Position":
        """Where to begin to read in that segment, the first of those that are left."""
        return self if self.segment == segment else Position(segment)


def unpack(data: bytes) -> Position | None:
    """The position that the file holds, None if it was changed."""
    try:
        text, _, checksum = data.decode("ascii").removesuffix("\n").rpartition(" ")
        if int(checksum, 16) != crc32(text.encode()):
            return None
        *first, segment, offset, records, points = text.split(" ")
        return Position(int(segment), int(offset), int(records), int(points)) if tuple(first) == _FIRST else None
    except ValueError:
        return None


def load(folder: Path) -> Position | None:
    """The position in a spool's folder, None if it cannot be trusted; a new one if nothing was read yet."""
    try:
        return unpack((folder / NAME).read_bytes())
    except FileNotFoundError:
        return Position()
    except OSError:
        return None
