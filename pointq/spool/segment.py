"""A segment: a header and a mark of 28 bytes each, then records up to the end.

    header   3 bytes "PQS", byte version 1, 4 bytes salt, 8 bytes number, 8 bytes time of creation (signed µs since 1970
             UTC), 4 bytes CRC-32 of all that
    mark     4 bytes CRC-32 (begun with the salt) of the rest; 8 bytes each: offset up to which the segment was
             acknowledged, the records up to there, their points

The name is `<number, 16 digits>-<salt, 8 hex digits>.seg`, so names sort by age, and a damaged header costs no record. The
mark is rewritten in place after each fsync and reaches the disk with the next one. So it never says more than what was
acknowledged, tells a file that was cut short from an append that was never finished, and lets anybody count without reading
records.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

VERSION = 1
HEADER_BYTES = 28
START = 56
"""Offset of the first record."""

_MAGIC = b"PQS"
_HEADER = struct.Struct("<3sBIQqI")
_MARK = struct.Struct("<IQQQ")
_CRC_BYTES = 4
_NAME = re.compile(r"(?P<number>\d{16})-(?P<salt>[0-9a-f]{8})\.seg")


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says."""

    version: int
    salt: int
    number: int
    created_us: int

    def pack(self) -> bytes:
        """Its bytes."""
        body = _HEADER.pack(_MAGIC, self.version, self.salt, self.number, self.created_us, 0)[:-_CRC_BYTES]
        return body + crc32(body).to_bytes(_CRC_BYTES, "little")


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a segment was acknowledged."""

    end: int = START
    records: int = 0
    points: int = 0

    def pack(self, salt: int) -> bytes:
        """Its bytes."""
        body = _MARK.pack(0, self.end, self.records, self.points)[_CRC_BYTES:]
        return crc32(body, salt).to_bytes(_CRC_BYTES, "little") + body


@dataclass(slots=True)
class Segment:
    """A segment as the process that owns it knows it."""

    path: Path
    number: int
    salt: int
    end: int = START
    """Offset up to which there is something to read."""
    acknowledged: int = START
    """Offset up to which something must be there; beyond `end` only where a file was cut short."""
    records: int = 0
    points: int = 0

    @property
    def limit(self) -> int:
        """Offset at which all of it has been read or missed."""
        return max(self.end, self.acknowledged)

    @property
    def mark(self) -> Mark:
        """The mark to write now."""
        return Mark(self.end, self.records, self.points)


def name_of(number: int, salt: int) -> str:
    """The name of a segment's file."""
    return f"{number:016d}-{salt:08x}.seg"


def parse_name(name: str) -> tuple[int, int] | None:
    """The number and the salt in the name of a segment's file, None if it is another file."""
    found = _NAME.fullmatch(name)
    return (int(found["number"]), int(found["salt"], 16)) if found else None


def read_header(data: bytes) -> Header | None:
    """The header at the front of a segment, of whatever version; None if it is damaged."""
    if len(data) < HEADER_BYTES:
        return None
    magic, version, salt, number, created_us, checksum = _HEADER.unpack_from(data)
    if magic != _MAGIC or crc32(data[: HEADER_BYTES - _CRC_BYTES]) != checksum:
        return None
    return Header(version, salt, number, created_us)


def read_mark(data: bytes, salt: int) -> Mark | None:
    """The mark among the first `START` bytes of a segment, None if it is damaged."""
    if len(data) < START:
        return None
    checksum, end, records, points = _MARK.unpack_from(data, HEADER_BYTES)
    if crc32(data[HEADER_BYTES + _CRC_BYTES : START], salt) != checksum:
        return None
    return Mark(end, records, points)


def listed(folder: Path) -> list[Path]:
    """The segments in a folder, the oldest first."""
    return sorted(path for path in folder.iterdir() if parse_name(path.name))
