"""Appending to the newest segment: one write and one fsync for a group of records, whatever their number."""

import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress

from pointq.spool.contents import Contents
from pointq.spool.files import place, write_all
from pointq.spool.record import Record, encode
from pointq.spool.segment import HEADER_BYTES, START, VERSION, Header, Mark, Segment, name_of

log = logging.getLogger("pointq.spool")

_SALT_BITS = 32


class Writer:
    """Appends to one spool. What `append` returned from is on the disk."""

    def __init__(self, contents: Contents, segment_bytes: int) -> None:
        self._contents = contents
        self._files = contents.files
        self._segment_bytes = segment_bytes
        self._segment: Segment | None = None
        self._fd = -1

    def append(self, records: Sequence[Record]) -> None:
        """Append the records to one segment. Raises OSError where they may not be on the disk; they may be nonetheless."""
        size = sum(record.size for record in records)
        if self._segment is not None and self._segment.end + size > self._segment_bytes:
            self.finish()
        segment = self._segment or self._begin()
        try:
            write_all(self._files, self._fd, b"".join(encode(record, segment.salt) for record in records), segment.end)
            self._files.sync(self._fd)
        except OSError:
            self._give_up(segment)
            raise
        segment.end += size
        segment.acknowledged = segment.end
        segment.records += len(records)
        segment.points += sum(record.points for record in records)
        self._mark(segment)

    def finish(self) -> None:
        """Close the newest segment, if one is open; the next append begins another."""
        if self._segment is None:
            return
        self._segment = None
        with suppress(OSError):
            # all that counts has been synced
            self._files.close(self._fd)

    def finish_if(self, segment: Segment) -> None:
        """Close that segment if it is the newest."""
        if self._segment is segment:
            self.finish()

    def _begin(self) -> Segment:
        contents = self._contents
        number, salt = contents.next_number(), secrets.randbits(_SALT_BITS)
        path = contents.folder / name_of(number, salt)
        header = Header(VERSION, salt, number, contents.now_us())
        try:
            place(self._files, path, [header.pack(), Mark().pack(salt)])
            self._fd = self._files.open(path, write=True)
        except OSError:
            with suppress(OSError):
                self._files.remove(path)
            raise
        self._segment = Segment(path, number, salt)
        contents.segments.append(self._segment)
        return self._segment

    def _give_up(self, segment: Segment) -> None:
        """End the segment where it was last acknowledged.

        A failed fsync is never tried again, nor is anything appended behind it: Linux marks the pages clean that it could
        not write, so the next fsync succeeds without them ("fsyncgate", PostgreSQL's thread of 2018 and its
        `data_sync_retry`). The records are written anew, to pages of another file, by whoever sends them again.
        """
        with suppress(OSError):
            # without it, what the append left there is a torn end, or whole records, which are stored once more at worst
            self._files.truncate(self._fd, segment.end)
        self.finish()
        if segment.end == START:
            with suppress(OSError):
                self._contents.delete(segment)

    def _mark(self, segment: Segment) -> None:
        try:
            write_all(self._files, self._fd, segment.mark.pack(segment.salt), HEADER_BYTES)
        except OSError as exc:
            # the records are on the disk; a mark that is behind costs the next process a look at them
            log.warning("the spool's segment %s could not be marked: %s", segment.path.name, exc.strerror or exc)
            self.finish()
