"""One spool's folder, owned: appended to, read from the front, and deleted as it is read. Synchronous, for one thread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pointq.embedded.locks import Lock
from pointq.spool.contents import Contents
from pointq.spool.files import Files
from pointq.spool.position import Position
from pointq.spool.reading import Unreadable, opened
from pointq.spool.record import Record
from pointq.spool.recovery import recover
from pointq.spool.scan import Damage, Found, Item, Scan, counted
from pointq.spool.segment import Segment
from pointq.spool.writer import Writer

READ_TRIES = 5
"""How often a disk may fail to read one place before its segment is set aside. A disk behind a network fails for a while, for
all segments; whoever reads waits longer after each failure."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Records to hand on, in the order in which they were appended; commit it when they are."""

    records: tuple[Record, ...]
    position: Position = field(repr=False)
    """Where the next ones begin."""
    directory: "Directory" = field(repr=False)

    @property
    def points(self) -> int:
        """Points of all its records."""
        return sum(record.points for record in self.records)


@dataclass(frozen=True, slots=True)
class Room:
    """How much to take at once: records, and bytes of their frames. One record is always taken, however large."""

    records: int
    bytes: int


class Directory:
    """A folder whose lock is held. All calls raise OSError where the file system fails; `close` may be called twice."""

    def __init__(self, contents: Contents, lock: Lock, segment_bytes: int) -> None:
        self._contents = contents
        self._lock = lock
        self._writer = Writer(contents, segment_bytes)
        self.bytes = contents.bytes
        """Bytes of all segments; any thread may look."""
        self._failures = 0

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._contents.folder

    def append(self, records: Sequence[Record]) -> None:
        """Put records on the disk, in one group."""
        try:
            self._writer.append(records)
        finally:
            self.bytes = self._contents.bytes

    def take(self, room: Room) -> Taken | None:
        """The oldest records that were not committed, None if there are none; the same ones again until they are.

        A segment that the disk cannot read raises at first, in case the disk recovers; then it goes into quarantine.
        """
        while self._contents.segments:
            segment = self._contents.segments[0]
            try:
                taken = self._read(segment, room)
            except FileNotFoundError:
                self._miss(segment)
            except Unreadable as exc:
                self._failures += 1
                if self._failures < READ_TRIES:
                    raise
                self._set_aside(segment, str(exc.strerror))
            else:
                self._failures = 0
                if taken.records:
                    return taken
                # nothing but damage, which is in quarantine by now
                self.commit(taken.position)
        return None

    def commit(self, position: Position) -> None:
        """Everything before that position was handed on; nothing happens if that is known, or the folder was given back."""
        segments = self._contents.segments
        segment = next((segment for segment in segments if segment.number == position.segment), None)
        if segment is None or position < self._contents.position or self._lock.fd < 0:
            return
        if position.offset < segment.limit:
            self._contents.advance(position)
            return
        self._writer.finish_if(segment)
        try:
            self._contents.delete(segment)
        finally:
            self.bytes = self._contents.bytes

    def close(self) -> None:
        """Give the folder back to whoever wants it next."""
        self._writer.finish()
        self._lock.close()

    def _read(self, segment: Segment, room: Room) -> Taken:
        position = self._contents.position.within(segment.number)
        records: list[Record] = []
        left = room.bytes
        with opened(self._contents.files, segment.path) as read_at:
            try:
                for item in Scan(read_at, segment.salt, segment.end, segment.acknowledged).items(position.offset):
                    if isinstance(item, Found):
                        left -= len(item.frame)
                        if records and left < 0:
                            break
                        records.append(_record(item))
                    elif isinstance(item, Damage):
                        self._contents.quarantine.keep(segment, item, read_at)
                    position = _after(position, item)
                    if len(records) >= room.records:
                        break
            except Unreadable:
                if not records:
                    raise
        return Taken(tuple(records), position, self)

    def _set_aside(self, segment: Segment, reason: str) -> None:
        """Put a segment that the disk cannot read into quarantine, as a whole: another disk or day may read it."""
        self._failures = 0
        self._writer.finish_if(segment)
        self._contents.quarantine.move(segment, self._unread(segment, reason))
        self._contents.segments.remove(segment)
        self.bytes = self._contents.bytes

    def _miss(self, segment: Segment) -> None:
        self._writer.finish_if(segment)
        self._contents.quarantine.note(segment, self._unread(segment, "somebody has deleted the segment"))
        self._contents.segments.remove(segment)
        self.bytes = self._contents.bytes

    def _unread(self, segment: Segment, reason: str) -> Damage:
        position = self._contents.position.within(segment.number)
        points = segment.points - position.points
        return Damage(position.offset, segment.limit, reason, points=points if points > 0 else None)


def open_directory(folder: Path, lock: Lock, files: Files, segment_bytes: int, now_us: Callable[[], int]) -> Directory:
    """Own a folder, its lock being held; recovers what is there. Raises OSError."""
    return Directory(recover(folder, files, now_us), lock, segment_bytes)


def _record(item: Found) -> Record:
    return Record(item.head.kind, item.head.points, item.frame, item.head.time_us)


def _after(position: Position, item: Item) -> Position:
    records, points = counted(item)
    return Position(position.segment, item.end, position.records + records, position.points + points)
