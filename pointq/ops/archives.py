"""Zip archives as places where an import finds files. Nothing is unpacked to disk, so a member's name can lead nowhere."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from pointq.errors import FormatError
from pointq.formats.detect import SUFFIXES
from pointq.ops.source import Source, failing
from pointq.ops.zip_bounds import MEBIBYTE, MOST_MEMBERS, open_archive, unpack

MAGIC = b"PK\x03\x04"
"""What an archive with any member begins with."""

TAKEN = frozenset({*SUFFIXES, ".zip"})
"""Ends of the names of what is taken out of folders and archives, in lower case."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read."""

    file_bytes: int = 256 * MEBIBYTE
    """Largest file, unpacked; the longest real flight has 6 MB, a season in one file some 100 MB."""
    archive_bytes: int = 16_384 * MEBIBYTE
    """Most that an archive, with those in it, unpacks to."""
    members: int = MOST_MEMBERS
    """Most files that an archive holds, with those in it."""


@dataclass(slots=True)
class _Left:
    """What an archive may still hold: archives in it count for it, or a small one could hold ten thousand full ones."""

    archive_bytes: int
    members: int

    def take(self, taken: list[zipfile.ZipInfo], bounds: Bounds) -> str | None:
        """Count those members; why they are too many. The archive's word can be taken: no more than it says is unpacked."""
        self.members -= len(taken)
        self.archive_bytes -= sum(info.file_size for info in taken)
        if self.members < 0:
            return f"holds more files than the {bounds.members:,} that are read, those in archives in it included"
        if self.archive_bytes < 0:
            most = bounds.archive_bytes // MEBIBYTE
            return f"unpacks to more than {most} MiB, archives in it included: that is the most that is read"
        return None


def members(file: BinaryIO, name: str, bounds: Bounds) -> Iterator[Source]:
    """The files in an archive, and those in archives in it, one level deep; `name` is what the archive is called.

    Each has to be read before the next is asked for.
    """
    yield from _members(file, name, bounds, _Left(bounds.archive_bytes, bounds.members), inner=False)


def _members(file: BinaryIO, name: str, bounds: Bounds, left: _Left, *, inner: bool) -> Iterator[Source]:
    try:
        archive = open_archive(file)
    except FormatError as exc:
        yield failing(name, f"{name}: {exc.message}")
        return
    with archive:
        # ZipInfo.is_dir fails on an empty name
        every = [info for info in archive.infolist() if not info.filename.endswith("/")]
        # one that holds a single file was made for its sake, whatever its name is
        taken = every if len(every) == 1 else [info for info in every if _is_taken(info)]
        if not taken:
            yield failing(name, f"{name} holds no {', '.join(sorted(TAKEN))} file")
        elif reason := left.take(taken, bounds):
            yield failing(name, f"{name} {reason}")
        else:
            for info in taken:
                yield from _member(archive, info, f"{name}:{info.filename}", bounds, None if inner else left)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, bounds: Bounds, left: _Left | None) -> Iterator[Source]:
    """One member; `left` is None where archives are not read any deeper."""
    read = partial(unpack, archive, info, bounds.file_bytes)
    if not info.filename.lower().endswith(".zip"):
        yield Source(name, PurePosixPath(info.filename).name, read)
    elif left is None:
        yield failing(name, f"{info.filename} is an archive in an archive in an archive: unpack the outer one first")
    else:
        try:
            data = read()
        except FormatError as exc:
            yield failing(name, exc.message)
        else:
            yield from _members(io.BytesIO(data), name, bounds, left, inner=True)


def _is_taken(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    # macOS puts a file of its own beside each, under the same suffix
    foreign = path.name.startswith("._") or path.parts[:1] == ("__MACOSX",)
    return not foreign and path.suffix.lower() in TAKEN
