"""Walking over a segment that may be cut or damaged anywhere: pure but for reading, one record in memory at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pointq.spool.record import HEAD_BYTES, MAGIC, Head, read_head

ReadAt = Callable[[int, int], bytes]
"""Offset and size to bytes; fewer than asked only at the end of the file."""

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """An intact record."""

    at: int
    end: int
    head: Head
    frame: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """A region that holds no record and should; what is known of what was lost, where a head or a mark says it."""

    at: int
    end: int
    reason: str
    kind: str | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Torn:
    """The rest of an append that was never finished, so never acknowledged."""

    at: int
    end: int


Item = Found | Damage | Torn


def counted(item: Item) -> tuple[int, int]:
    """How many records and points are known to be there, or to have been."""
    if isinstance(item, Found):
        return 1, item.head.points
    if isinstance(item, Damage) and item.points is not None:
        return 1, item.points
    return 0, 0


@dataclass(frozen=True, slots=True)
class Scan:
    """One walk: over `size` bytes of a segment, of which those up to `acknowledged` must be records."""

    read_at: ReadAt
    salt: int
    size: int
    acknowledged: int

    def items(self, at: int) -> Iterator[Item]:
        """What is there from that offset on, without gaps."""
        while at < max(self.size, self.acknowledged):
            item = self._item(at)
            yield item
            at = item.end

    def _item(self, at: int) -> Item:
        start = self._read(at, HEAD_BYTES)
        head = read_head(start, self.salt)
        if head and at + head.size <= self.size:
            frame = self.read_at(at + HEAD_BYTES, head.length)
            if head.fits(frame):
                return Found(at, at + head.size, head, frame)
            return _damage(at, at + head.size, "the checksum of the record does not match", head)
        following = self._next_head(at + 1)
        if following is not None:
            return Damage(at, following, "no record begins here")
        if at >= self.acknowledged and (head or len(start) < HEAD_BYTES or self._blank(at)):
            return Torn(at, self.size)
        return _damage(at, max(self.size, self.acknowledged), self._why(head), head)

    def _why(self, head: Head | None) -> str:
        missing = self.acknowledged - self.size
        if missing > 0:
            return f"the segment was cut: {missing} bytes that were acknowledged are not there"
        return "the record is cut" if head else "no record begins here"

    def _next_head(self, at: int) -> int | None:
        while at < self.size:
            chunk = self._read(at, _CHUNK_BYTES)
            for place in _places(chunk):
                if read_head(self._read(at + place, HEAD_BYTES), self.salt):
                    return at + place
            # a magic may lie across the border of two chunks
            at += max(len(chunk) - len(MAGIC) + 1, 1)
        return None

    def _blank(self, at: int) -> bool:
        """Whether all is zero: some file systems grow a file before its content is on the disk."""
        while chunk := self._read(at, _CHUNK_BYTES):
            if chunk.strip(b"\0"):
                return False
            at += len(chunk)
        return True

    def _read(self, at: int, size: int) -> bytes:
        return self.read_at(at, max(min(size, self.size - at), 0))


def _damage(at: int, end: int, reason: str, head: Head | None) -> Damage:
    return Damage(at, end, reason, head.kind if head else None, head.points if head else None)


def _places(chunk: bytes) -> Iterator[int]:
    place = chunk.find(MAGIC)
    while place >= 0:
        yield place
        place = chunk.find(MAGIC, place + 1)
