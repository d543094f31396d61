"""What one spool holds, as the process that owns it knows it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pointq.spool import position as positions
from pointq.spool.files import Files, place
from pointq.spool.position import Position
from pointq.spool.quarantine import Quarantine
from pointq.spool.segment import Segment

log = logging.getLogger("pointq.spool")


@dataclass(slots=True)
class Contents:
    """The segments of a folder, the oldest first, and how far they were read."""

    folder: Path
    files: Files
    now_us: Callable[[], int]
    segments: list[Segment] = field(default_factory=list)
    position: Position = field(default_factory=Position)
    position_failed: bool = False
    """Whether the position could not be written the last time."""
    last: int = 0
    """The last number that was given; none is given twice, so that no old position means a new segment."""

    @property
    def quarantine(self) -> Quarantine:
        """Where its damaged parts go."""
        return Quarantine(self.folder, self.files, self.now_us)

    @property
    def bytes(self) -> int:
        """Bytes of all segments."""
        return sum(segment.end for segment in self.segments)

    def next_number(self) -> int:
        """A number that no segment had since the position was written."""
        self.last = max([self.last, self.position.segment, *(segment.number for segment in self.segments)]) + 1
        return self.last

    def advance(self, position: Position) -> None:
        """Move the position on, on the disk if it can be written.

        If it cannot, reading goes on: a full disk gets room only when segments are read to their ends and deleted, and what a
        crash makes come again is harmless.
        """
        self.position = position
        try:
            place(self.files, self.folder / positions.NAME, [position.pack()])
        except OSError as exc:
            self._say_once(exc)
        else:
            self.position_failed = False

    def _say_once(self, exc: OSError) -> None:
        if not self.position_failed:
            log.warning(
                "how far the spool in %s was read cannot be written: %s; after a crash now, some of it is read again",
                self.folder, exc.strerror or exc,
            )  # fmt: skip
        self.position_failed = True

    def delete(self, segment: Segment) -> None:
        """Delete a segment of which nothing is left to read."""
        self.files.remove(segment.path)
        self.segments.remove(segment)
        self.files.sync_folder(self.folder)
