"""Where an import finds its files: paths, folders, patterns, zip archives, standard input."""

import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from pointq.errors import FormatError, PointqError

MOST_BYTES = 256 * 1024 * 1024
"""Largest file that is read; the longest real flight has 6 MB, a season in one file some 100 MB."""

_SUFFIXES = frozenset({".igc", ".txt", ".zip"})
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
            yield Source("-", lambda: sys.stdin.buffer.read(MOST_BYTES + 1))
            continue
        for found in _matches(path):
            yield from _expand(found)


def _matches(path: str) -> Sequence[Path]:
    # a shell that expands patterns hands none on, unless they are quoted; a file may be named like a pattern
    if not has_magic(path) or Path(path).exists():
        return [Path(path)]
    return [Path(match) for match in sorted(glob(path, recursive=True))] or [Path(path)]  # noqa: PTH207 - it knows **


def _expand(path: Path) -> Iterator[Source]:
    if path.is_dir():
        children = [child for child in sorted(path.rglob("*")) if child.suffix.lower() in _SUFFIXES and child.is_file()]
        if not children:
            reason = f"{path} holds no {', '.join(sorted(_SUFFIXES))} file"
            yield Source(str(path), lambda: _raise(reason))
        for child in children:
            yield from _expand(child)
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield from _members(path)
    else:
        yield Source(str(path), lambda: _read(path))


def _members(path: Path) -> Iterator[Source]:
    """The files in an archive. Nothing is unpacked to disk, so a member's name can lead nowhere."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as exc:
        reason = f"{path} is no zip archive that can be read: {exc}"
        yield Source(str(path), lambda: _raise(reason))
        return
    with archive:
        for info in archive.infolist():
            if not info.is_dir() and Path(info.filename).suffix.lower() in _SUFFIXES - {".zip"}:
                yield Source(f"{path}:{info.filename}", lambda info=info: _member(archive, info))  # type: ignore[misc]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as member:
            # never more than the bound, whatever the archive says of the size
            return _bounded(member.read(MOST_BYTES + 1), info.filename)
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as exc:
        raise FormatError(f"{info.filename} cannot be unpacked: {exc}") from exc


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _bounded(file.read(MOST_BYTES + 1), str(path))
    except OSError as exc:
        raise PointqError(f"{path} cannot be read: {exc.strerror}") from exc


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise FormatError(f"{name} is larger than {MOST_BYTES // 2**20} MiB")
    return data


def _raise(reason: str) -> bytes:
    raise FormatError(reason)
