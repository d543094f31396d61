"""Where an import finds its files: paths, folders, patterns, zip archives, standard input."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

from pointq.errors import FormatError
from pointq.formats.detect import SUFFIXES
from pointq.ops.plain_files import read_plain
from pointq.ops.zip_bounds import open_archive, unpack

MOST_BYTES = 256 * 1024 * 1024
"""Largest file that is read; the longest real flight has 6 MB, a season in one file some 100 MB."""

_SUFFIXES = SUFFIXES | {".zip"}
"""What is taken out of a folder; a file that is named is read whatever its name is."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name as a user knows it, and how to read it."""

    name: str
    read: Callable[[], bytes]
    """Raises PointqError where it cannot be read."""


def find(paths: Iterable[str]) -> Iterator[Source]:
    """The files that are meant by what was typed; a path that leads nowhere is a source that cannot be read."""
    for path in paths:
        if path == "-":
            yield Source("-", _read_stdin)
            continue
        for found in _matches(path):
            yield from _expand(found)


def _matches(path: str) -> Sequence[Path]:
    # a shell that expands patterns hands none on, unless they are quoted; a file may be named like a pattern
    if not has_magic(path) or Path(path).exists():
        return [Path(path)]
    return [Path(match) for match in sorted(glob(path, recursive=True))] or [Path(path)]  # noqa: PTH207 - it knows **


def _expand(path: Path) -> Iterator[Source]:
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above may not be entered
        children = [child for child in sorted(path.rglob("*")) if child.suffix.lower() in _SUFFIXES and child.is_file()]
        if not children:
            reason = f"{path} holds no {', '.join(sorted(_SUFFIXES))} file"
            yield Source(str(path), lambda: _raise(reason))
        for child in children:
            yield from _expand(child)
    elif path.suffix.lower() == ".zip" and os.path.isfile(path):  # noqa: PTH113 - as above
        yield from _members(path)
    else:
        yield Source(str(path), lambda: read_plain(path, MOST_BYTES))


def _members(path: Path) -> Iterator[Source]:
    """The files in an archive. Nothing is unpacked to disk, so a member's name can lead nowhere."""
    try:
        file = path.open("rb")
    except OSError as exc:
        reason = f"{path} cannot be read: {exc.strerror}"
        yield Source(str(path), lambda: _raise(reason))
        return
    with file:
        try:
            archive = open_archive(file)
        except FormatError as exc:
            reason = f"{path}: {exc.message}"
            yield Source(str(path), lambda: _raise(reason))
            return
        for info in archive.infolist():
            # ZipInfo.is_dir fails on an empty name
            if PurePosixPath(info.filename).suffix.lower() in _SUFFIXES - {".zip"} and not info.filename.endswith("/"):
                yield Source(f"{path}:{info.filename}", lambda info=info: unpack(archive, info, MOST_BYTES))  # type: ignore[misc]


def _read_stdin() -> bytes:
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FormatError(f"standard input is larger than {MOST_BYTES // 2**20} MiB")
    return data


def _raise(reason: str) -> bytes:
    raise FormatError(reason)
