"""Zip archives as places where an import finds files. Nothing is unpacked to disk, so a member's name can lead nowhere."""

import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from pointq.errors import FormatError
from pointq.formats.detect import SUFFIXES
from pointq.ops.source import Source, failing, passed_over
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


class _Left:
    """What an archive may still hold: archives in it count for it, or a small one could hold ten thousand full ones."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._archive_bytes = bounds.archive_bytes
        self._members = bounds.members

    def take(self, taken: list[zipfile.ZipInfo]) -> str | None:
        """Count those members; why they are too many. The archive's word can be taken: no more than it says is unpacked."""
        self._members -= len(taken)
        self._archive_bytes -= sum(info.file_size for info in taken)
        if self._members < 0:
            return f"holds more files than the {self.bounds.members:,} that are read, those in archives in it included"
        if self._archive_bytes < 0:
            most = self.bounds.archive_bytes // MEBIBYTE
            return f"unpacks to more than {most} MiB, archives in it included: that is the most that is read"
        return None


def members(file: BinaryIO, name: str, bounds: Bounds, *, was_named: bool = True) -> Iterator[Source]:
    """The files in an archive, and those in archives in it, one level deep; `name` is what the archive is called.

    Each has to be read before the next is asked for. `was_named` is as for a `Source`.
    """
    yield from _members(file, name, _Left(bounds), was_named=was_named, inner=False)


def _members(file: BinaryIO, name: str, left: _Left, *, was_named: bool, inner: bool) -> Iterator[Source]:
    try:
        archive = open_archive(file)
    except FormatError as exc:
        yield failing(name, f"{name}: {exc.message}")
        return
    with archive:
        # ZipInfo.is_dir fails on an empty name
        every = [info for info in archive.infolist() if not (info.filename.endswith("/") or _is_hidden(info))]
        # one that holds a single file was made for its sake, whatever its name is
        single = len(every) == 1
        taken = every if single else [info for info in every if is_taken(info.filename)]
        if not taken:
            yield failing(name, f"{name} holds no {', '.join(sorted(TAKEN))} file") if was_named else passed_over(name)
        elif reason := left.take(taken):
            yield failing(name, f"{name} {reason}")
        else:
            for info in every:
                inside = f"{name}:{info.filename}"
                if single or is_taken(info.filename):
                    yield from _member(archive, info, inside, left, was_named=was_named and single, inner=inner)
                else:
                    yield passed_over(inside)


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, left: _Left, *, was_named: bool, inner: bool
) -> Iterator[Source]:
    read = partial(unpack, archive, info, left.bounds.file_bytes)
    if not info.filename.lower().endswith(".zip"):
        yield Source(name, PurePosixPath(info.filename).name, read, was_named)
    elif inner:
        yield failing(name, f"{info.filename} is an archive in an archive in an archive: unpack the outer one first")
    else:
        try:
            data = read()
        except FormatError as exc:
            yield failing(name, exc.message)
        else:
            yield from _members(io.BytesIO(data), name, left, was_named=was_named, inner=True)


def is_taken(name: str) -> bool:
    """Whether a file is taken out of a folder or an archive, by its own name alone."""
    return os.path.splitext(name)[1].lower() in TAKEN  # noqa: PTH122 - ten thousand of them


def is_hidden(name: str) -> bool:
    """Whether a file is nobody's: macOS puts one of its own beside each on disks of others, under the same suffix."""
    return name.startswith("._") or (name.startswith(".") and not is_taken(name))


def _is_hidden(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return path.parts[:1] == ("__MACOSX",) or is_hidden(path.name)
