"""Reading what a spool holds without owning it: no lock is taken, nothing is written, one record in memory at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pointq.spool import position as positions
from pointq.spool.files import Files, told
from pointq.spool.position import Position
from pointq.spool.quarantine import FOLDER
from pointq.spool.reading import Unreadable, reader
from pointq.spool.scan import Found, Item, ReadAt, Scan, Torn
from pointq.spool.segment import START, Mark, listed, parse_name, read_mark
from pointq.spool.slots import slots

_FIRST_BYTES = 64
"""Kept of what is damaged."""
_TRIES = 3
"""A mark that is read while it is written may not match its checksum; the next look finds it whole."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A record that waits in a spool, or what is left of one."""

    slot: str
    segment: str
    """Name of its file, without the ending."""
    at: int
    """Where it begins there, bytes."""
    kind: str | None
    points: int | None
    time_us: int | None
    """When it came, µs since 1970 UTC."""
    frame: bytes = field(repr=False)
    """Of a damaged one: its first bytes."""
    reason: str | None = None
    """What is wrong with it."""


def look(root: Path) -> Iterator[Spooled]:
    """What all processes of that root have spooled and nobody has handed on yet, slot by slot, and what was set aside.

    Raises SpoolError.
    """
    files = Files()
    with told("be read", root):
        for folder in slots(root):
            position = positions.load(folder) or Position()
            for path in listed(folder):
                with suppress(FileNotFoundError):  # its owner has just deleted it
                    yield from _segment(files, path, position)
            for path in sorted((folder / FOLDER).glob("*.json")):
                yield _quarantined(folder, path)


def _segment(files: Files, path: Path, position: Position) -> Iterator[Spooled]:
    number, salt = parse_name(path.name) or (0, 0)
    if number < position.segment:
        return
    fd = files.open(path)
    at = position.within(number).offset
    try:
        read_at = reader(files, fd)
        # the mark first: the file only grows, so it is never shorter than the mark says because somebody appends
        mark = _mark(read_at, salt)
        for item in Scan(read_at, salt, os.fstat(fd).st_size, mark.end).items(at):
            if not isinstance(item, Torn):
                yield _spooled(path, item, read_at)
            at = item.end
    except Unreadable as exc:
        yield Spooled(path.parent.name, path.stem, at, None, None, None, b"", str(exc.strerror))
    finally:
        files.close(fd)


def _mark(read_at: ReadAt, salt: int) -> Mark:
    return next((mark for _ in range(_TRIES) if (mark := read_mark(read_at(0, START), salt))), Mark())


def _spooled(path: Path, item: Item, read_at: ReadAt) -> Spooled:
    slot, segment = path.parent.name, path.stem
    if isinstance(item, Found):
        return Spooled(slot, segment, item.at, item.head.kind, item.head.points, item.head.time_us, item.frame)
    kind, points, reason = (None, None, "") if isinstance(item, Torn) else (item.kind, item.points, item.reason)
    return Spooled(slot, segment, item.at, kind, points, None, read_at(item.at, min(item.end - item.at, _FIRST_BYTES)), reason)


def _quarantined(spool: Path, path: Path) -> Spooled:
    """What a note in the quarantine tells; a note that is no note tells that."""
    segment = f"{FOLDER}/{path.stem}"
    try:
        note = json.loads(path.read_bytes())
        at, kind, points, reason, kept = (note[name] for name in ("offset", "kind", "points", "reason", "file"))
        first = _first_bytes(path.parent / kept, at if kept.endswith(".seg") else 0) if kept else b""
    except (ValueError, KeyError, TypeError) as exc:
        return Spooled(spool.name, segment, 0, None, None, None, b"", f"the note {path.name} cannot be read: {exc!r}")
    return Spooled(spool.name, segment, at, kind, points, None, first, f"set aside: {reason}")


def _first_bytes(path: Path, at: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(_FIRST_BYTES)
