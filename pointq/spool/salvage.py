"""Reading spools that no process drains: of a dead machine, of a copied folder, of the quarantine. Nothing is changed there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pointq.embedded.locks import Lock
from pointq.errors import UsageError
from pointq.spool import position as positions
from pointq.spool.files import Files
from pointq.spool.position import Position
from pointq.spool.quarantine import FOLDER
from pointq.spool.reading import Unreadable, reader
from pointq.spool.scan import Damage, Found, ReadAt, Scan
from pointq.spool.segment import START, VERSION, Mark, listed, parse_name, read_header, read_mark
from pointq.spool.slots import LOCK, slots


@dataclass(frozen=True, slots=True)
class Salvaged:
    """An intact record."""

    where: str
    """The file, and where it begins there."""
    kind: str
    points: int
    frame: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """What cannot be read, and what is known of it."""

    where: str
    reason: str
    kind: str | None = None
    points: int | None = None


def salvage(path: Path) -> Iterator[Salvaged | Lost]:
    """What a data folder, a spool, a slot of one, a quarantine, or a segment holds. Raises UsageError where it is none."""
    if path.is_file():
        if parse_name(path.name) is None:
            raise UsageError(f"{path} is no segment of a spool", hint="its name would be 16 digits, -, 8 hex digits and .seg")
        yield from _segment(path, START)
        return
    folder = path / "spool" if (path / "spool").is_dir() else path
    parts = slots(folder) if folder.is_dir() else []
    if parts:
        for slot in parts:
            yield from _slot(slot)
    elif folder.name == FOLDER and folder.is_dir():
        yield from _quarantine(folder)
    elif folder.is_dir() and ((folder / LOCK).exists() or (folder / FOLDER).is_dir() or listed(folder)):
        yield from _slot(folder)
    else:
        raise UsageError(f"there is no spool in {path}", hint="name a data folder, its folder spool, or a segment")


def _slot(folder: Path) -> Iterator[Salvaged | Lost]:
    with _alone(folder) as alone:
        if alone:
            position = positions.load(folder) or Position()
            for path in listed(folder):
                number, _ = parse_name(path.name) or (0, 0)
                if number >= position.segment:
                    yield from _segment(path, position.within(number).offset)
        elif listed(folder):
            yield Lost(str(folder), "a running pointq serve owns it, which drains it by itself")
    yield from _quarantine(folder / FOLDER)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Keep the slot from being taken by a process that starts meanwhile."""
    try:
        lock = Lock(folder / LOCK, create=False)
    except OSError:
        # a copy without its lock, or one that cannot be written: nobody drains it
        yield True
        return
    with lock:
        yield lock.exclusive()


def _quarantine(folder: Path) -> Iterator[Salvaged | Lost]:
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            note = json.loads(path.read_text("utf8"))
            kept, offset = note["file"], int(note["offset"])
            lost = Lost(str(path), str(note["reason"]), note["kind"], note["points"])
        except (OSError, ValueError, KeyError, TypeError) as exc:
            yield Lost(str(path), f"the note cannot be read: {exc}")
            continue
        segment = folder / kept if kept and parse_name(kept) else None
        if segment is not None and segment.is_file():
            yield from _segment(segment, max(offset, START))
        else:
            yield lost


def _segment(path: Path, at: int) -> Iterator[Salvaged | Lost]:
    files = Files()
    try:
        fd = files.open(path)
    except OSError as exc:
        yield Lost(str(path), f"the segment cannot be opened: {exc.strerror or exc}")
        return
    try:
        yield from _records(path, reader(files, fd), os.fstat(fd).st_size, at)
    except Unreadable as exc:
        yield Lost(str(path), str(exc.strerror))
    finally:
        files.close(fd)


def _records(path: Path, read_at: ReadAt, size: int, at: int) -> Iterator[Salvaged | Lost]:
    start = read_at(0, START)
    header = read_header(start)
    if header is not None and header.version != VERSION:
        yield Lost(str(path), f"the segment is of version {header.version}, and this pointq reads version {VERSION}")
        return
    _, named = parse_name(path.name) or (0, 0)
    salt = header.salt if header else named
    mark = read_mark(start, salt) or Mark()
    for item in Scan(read_at, salt, size, mark.end).items(at):
        if isinstance(item, Found):
            yield Salvaged(f"{path}:{item.at}", item.head.kind, item.head.points, item.frame)
        elif isinstance(item, Damage):
            yield Lost(f"{path}:{item.at}", item.reason, item.kind, item.points)
