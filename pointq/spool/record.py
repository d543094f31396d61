"""One record of a segment: a head of 44 bytes, then the frame.

    4 bytes    d7 "PQR"
    4 bytes    CRC-32 (zlib's, begun with the segment's salt) of the rest of the head
    4 bytes    CRC-32 of the frame
    4 bytes    length of the frame
    4 bytes    number of points
    8 bytes    time of the record, signed microseconds since 1970 UTC
    16 bytes   name of the kind, ASCII, filled up with NUL

Numbers are little-endian. The head has a checksum of its own so that a damaged frame leaves its length trustworthy. The
salt is random and in no record: bytes that somebody sent, such as a flight id that imitates a record, are never taken for
one while a reader looks for the next.
"""

import struct
from dataclasses import dataclass, field
from zlib import crc32

MAGIC = b"\xd7PQR"
HEAD_BYTES = 44
MAX_FRAME_BYTES = 2**27
"""Twice what the largest frame takes; no record that claims more is read."""

_HEAD = struct.Struct("<4sIIIIq16s")
_SEALED = struct.Struct("<4sI")
_MAX_COUNT = 2**32
_MAX_TIME_US = 2**63
_KIND_BYTES = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One batch of points of one kind: the kind's name, how many, the frame, and when it came (µs since 1970 UTC)."""

    kind: str
    points: int
    frame: bytes = field(repr=False)
    time_us: int

    def __post_init__(self) -> None:
        if not (self.kind.isascii() and 0 < len(self.kind) <= _KIND_BYTES and "\0" not in self.kind):
            raise ValueError(f"the name of a kind is 1 to {_KIND_BYTES} ASCII characters, not {self.kind!r}")
        if not 0 <= self.points < _MAX_COUNT or not -_MAX_TIME_US <= self.time_us < _MAX_TIME_US:
            raise ValueError(f"a record cannot hold {self.points} points of the time {self.time_us}")
        if len(self.frame) > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {len(self.frame)} bytes; a record holds up to {MAX_FRAME_BYTES}")

    @property
    def size(self) -> int:
        """Bytes that it takes in a segment."""
        return HEAD_BYTES + len(self.frame)


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a record says."""

    kind: str
    points: int
    time_us: int
    length: int
    checksum: int

    @property
    def size(self) -> int:
        """Bytes of the whole record."""
        return HEAD_BYTES + self.length

    def fits(self, frame: bytes) -> bool:
        """Whether that is the frame that was written."""
        return len(frame) == self.length and crc32(frame) == self.checksum


def encode(record: Record, salt: int) -> bytes:
    """The bytes of a record in a segment of that salt."""
    kind, frame = record.kind.encode(), record.frame
    head = _HEAD.pack(MAGIC, 0, crc32(frame), len(frame), record.points, record.time_us, kind)
    rest = head[_SEALED.size :]
    return b"".join((_SEALED.pack(MAGIC, crc32(rest, salt)), rest, frame))


def read_head(data: bytes, salt: int) -> Head | None:
    """The head at the front of the bytes, None if there is none in a segment of that salt."""
    if len(data) < HEAD_BYTES or not data.startswith(MAGIC):
        return None
    _, sealed, checksum, length, points, time_us, kind = _HEAD.unpack_from(data)
    if crc32(data[_SEALED.size : HEAD_BYTES], salt) != sealed or length > MAX_FRAME_BYTES:
        return None
    return Head(kind.rstrip(b"\0").decode("ascii", "replace"), points, time_us, length, checksum)
