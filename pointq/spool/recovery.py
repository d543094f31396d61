"""Opening a spool that some process left, however it ended: its position, its segments, their torn ends."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pointq.spool import position as positions
from pointq.spool.contents import Contents
from pointq.spool.files import TEMPORARY, Files, write_all
from pointq.spool.position import Position
from pointq.spool.reading import Unreadable, reader
from pointq.spool.scan import Damage, ReadAt, Scan, Torn, counted
from pointq.spool.segment import (
    HEADER_BYTES,
    START,
    VERSION,
    Header,
    Mark,
    Segment,
    listed,
    parse_name,
    read_header,
    read_mark,
)

log = logging.getLogger("pointq.spool")


def recover(folder: Path, files: Files, now_us: Callable[[], int]) -> Contents:
    """What the folder holds, mended so far that everything there can be read and counted. Its lock must be held."""
    contents = Contents(folder, files, now_us, position=_position(folder))
    for path in folder.glob(f"*{TEMPORARY}"):
        files.remove(path)
    for path in listed(folder):
        number, salt = parse_name(path.name) or (0, 0)
        if number < contents.position.segment:
            # read to its end; the crash came before it was deleted
            files.remove(path)
        else:
            _Recovery(contents, Segment(path, number, salt)).run()
    files.sync_folder(folder)
    return contents


def _position(folder: Path) -> Position:
    position = positions.load(folder)
    if position is None:
        log.warning("the read position of the spool in %s was damaged: what is there is read from the beginning", folder)
    return position or Position()


class _Recovery:
    """Looks at one segment, and adds it to the contents if there is something to read in it."""

    def __init__(self, contents: Contents, segment: Segment) -> None:
        self._contents = contents
        self._files = contents.files
        self._segment = segment

    def run(self) -> None:
        fd = self._files.open(self._segment.path, write=True)
        size, reason = os.fstat(fd).st_size, None
        try:
            reason = self._look(fd, size)
        except Unreadable as exc:
            # whoever reads it next tries again, and knows what to do if that fails too
            log.warning("the spool's segment %s could not be looked at: %s", self._segment.path.name, exc.strerror)
            self._segment.end = size
        finally:
            self._files.close(fd)
        if reason is not None:
            self._contents.quarantine.move(self._segment, Damage(0, size, reason))
        elif self._segment.limit == START:
            self._files.remove(self._segment.path)
        else:
            self._contents.segments.append(self._segment)

    def _look(self, fd: int, size: int) -> str | None:
        """Learn what the segment holds; the reason if none of it can be read."""
        segment, read_at = self._segment, reader(self._files, fd)
        start = read_at(0, START)
        if len(start) < START:
            return f"the segment was cut: of its first {START} bytes {len(start)} are there"
        header = read_header(start)
        if header is None:
            self._mend_header(fd, read_at)
        elif header.version != VERSION:
            return f"the segment is of version {header.version}, and this pointq reads version {VERSION}"
        else:
            segment.salt = header.salt
        mark = read_mark(start, segment.salt)
        if mark is None:
            log.warning("the mark of the spool's segment %s was damaged: its records are counted anew", segment.path.name)
        self._measure(fd, size, mark)
        return None

    def _mend_header(self, fd: int, read_at: ReadAt) -> None:
        segment = self._segment
        damage = Damage(0, HEADER_BYTES, "the header does not match its checksum; no record is in it")
        self._contents.quarantine.keep(segment, damage, read_at)
        header = Header(VERSION, segment.salt, segment.number, self._contents.now_us())
        write_all(self._files, fd, header.pack(), 0)
        self._files.sync(fd)

    def _measure(self, fd: int, size: int, mark: Mark | None) -> None:
        """Count what stands behind the mark, cut off a torn end, and write the mark anew where it was behind."""
        segment = self._segment
        known = mark or Mark()
        segment.records, segment.points = known.records, known.points
        segment.end, segment.acknowledged = size, known.end
        if mark is not None and known.end >= size:
            return
        for item in Scan(reader(self._files, fd), segment.salt, size, known.end).items(known.end):
            records, points = counted(item)
            segment.records += records
            segment.points += points
            if isinstance(item, Torn):
                self._cut(fd, item)
        segment.acknowledged = segment.end
        write_all(self._files, fd, segment.mark.pack(segment.salt), HEADER_BYTES)
        self._files.sync(fd)

    def _cut(self, fd: int, torn: Torn) -> None:
        log.info(
            "%d bytes at the end of the spool's segment %s are an append that never finished; they are cut off",
            torn.end - torn.at, self._segment.path.name,
        )  # fmt: skip
        self._segment.end = torn.at
        with suppress(OSError):
            # nobody reads behind the mark that follows
            self._files.truncate(fd, torn.at)
