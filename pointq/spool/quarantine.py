"""What could not be read, kept for a person to look at: the bytes, and beside them a line of JSON that says what they are."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pointq.spool.files import Files, make_folders, place
from pointq.spool.scan import Damage, ReadAt
from pointq.spool.segment import Segment

log = logging.getLogger("pointq.spool")

FOLDER = "quarantine"

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The folder `quarantine` of one spool. A region that is set aside twice is there once."""

    spool: Path
    files: Files
    now_us: Callable[[], int]

    @property
    def folder(self) -> Path:
        """Where things are put."""
        return self.spool / FOLDER

    def keep(self, segment: Segment, damage: Damage, read_at: ReadAt) -> None:
        """Copy a damaged region, or what is left of it; the segment may be deleted afterwards."""
        stem = self._stem(segment, damage.at)
        if self._note_path(stem).exists():
            return
        make_folders(self.files, self.folder)
        name = f"{stem}.bin" if read_at(damage.at, 1) else None
        if name is not None:
            place(self.files, self.folder / name, _chunks(read_at, damage))
        self._note(segment, damage, name)

    def move(self, segment: Segment, damage: Damage) -> None:
        """Take a whole segment out of the spool, the damage being all that was still to be read in it."""
        make_folders(self.files, self.folder)
        self._note(segment, damage, segment.path.name)
        self.files.rename(segment.path, self.folder / segment.path.name)
        self.files.sync_folder(self.folder)
        self.files.sync_folder(self.spool)

    def note(self, segment: Segment, damage: Damage) -> None:
        """Say that something is missing of which nothing is left."""
        make_folders(self.files, self.folder)
        self._note(segment, damage, None)

    def _note(self, segment: Segment, damage: Damage, kept: str | None) -> None:
        note = {
            "segment": segment.path.name,
            "offset": damage.at,
            "length": damage.end - damage.at,
            "reason": damage.reason,
            "time": datetime.fromtimestamp(self.now_us() / 1e6, UTC).isoformat().replace("+00:00", "Z"),
            "kind": damage.kind,
            "points": damage.points,
            "file": kept,
        }
        # last, so that a note stands for a copy that is whole
        place(self.files, self._note_path(self._stem(segment, damage.at)), [json.dumps(note).encode(), b"\n"])
        log.error(
            "%d bytes at offset %d of the spool's segment %s are damaged (%s); what is left of them is in %s",
            damage.end - damage.at, damage.at, segment.path.name, damage.reason, self.folder,
        )  # fmt: skip

    def _note_path(self, stem: str) -> Path:
        return self.folder / f"{stem}.json"

    def _stem(self, segment: Segment, at: int) -> str:
        return f"{segment.path.stem}-{at:010d}"


def counted(spool: Path) -> tuple[int, int]:
    """How many things a spool has in quarantine, and the bytes of them on disk."""
    folder = spool / FOLDER
    if not folder.is_dir():
        return 0, 0
    notes = size = 0
    for path in folder.iterdir():
        if path.suffix == ".json":
            notes += 1
        elif path.suffix in {".bin", ".seg"}:
            size += path.stat().st_size
    return notes, size


def _chunks(read_at: ReadAt, damage: Damage) -> Iterator[bytes]:
    at = damage.at
    while at < damage.end and (chunk := read_at(at, min(_CHUNK_BYTES, damage.end - at))):
        yield chunk
        at += len(chunk)
