"""Where an import finds its files: paths, folders, patterns, zip archives, standard input."""

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import BinaryIO

from pointq.errors import FormatError
from pointq.ops.archives import MAGIC, TAKEN, Bounds, is_hidden, is_taken, members
from pointq.ops.plain_files import read_plain
from pointq.ops.source import Source, failing, passed_over, shown
from pointq.ops.zip_bounds import MEBIBYTE

STDIN = "-"


def find(paths: Iterable[str], bounds: Bounds | None = None, *, stdin: bytes = b"") -> Iterator[Source]:
    """The files that are meant by what was typed, each once; a path that leads nowhere is a source that cannot be read.

    Each has to be read before the next is asked for. `stdin` is what ``-`` stands for.
    """
    bounds = bounds or Bounds()
    met: set[str] = set()
    for path in paths:
        if path == STDIN:
            yield from of_data(STDIN, stdin, bounds)
            continue
        matches = _matches(path)
        if not matches:
            yield failing(shown(path), f"{shown(path)} is a pattern, and no file is named so")
        for match in matches:
            yield from _expand(match, met, bounds, was_named=match == path)


def count(paths: Sequence[str], stdin: bytes = b"") -> int:
    """How many files those are."""
    return sum(1 for _ in find(paths, stdin=stdin))


def read_stdin(bounds: Bounds | None = None) -> bytes:
    """What comes on standard input; a byte more than a file may have where it is too large."""
    return sys.stdin.buffer.read((bounds or Bounds()).file_bytes + 1)


def of_data(name: str, data: bytes, bounds: Bounds) -> Iterator[Source]:
    """The file that those bytes are, or the files in the archive that they are."""
    if data.startswith(MAGIC):
        yield from members(io.BytesIO(data), name, bounds)
    else:
        yield Source(name, name, lambda: _bounded(data, name, bounds))


def _matches(path: str) -> Sequence[str]:
    # a shell that expands patterns hands none on, unless they are quoted; a file may be named like a pattern
    if not has_magic(path) or os.path.lexists(path):
        return [path]
    return sorted(glob(path, recursive=True))  # noqa: PTH207 - it knows **


def _expand(path: str, met: set[str], bounds: Bounds, *, was_named: bool) -> Iterator[Source]:
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above may not be entered
        yield from _file(path, met, bounds, was_named=was_named, by_content=True)
        return
    found = False
    for child in _walk(path):
        found = found or isinstance(child, Source) or is_taken(child)
        yield from [child] if isinstance(child, Source) else _child(child, met, bounds)
    if was_named and not found:
        yield failing(shown(path), f"{shown(path)} holds no {', '.join(sorted(TAKEN))} file")


def _walk(folder: str) -> Iterator[str | Source]:
    """The files below a folder in order of their paths; a folder that cannot be read is a source that says so.

    Links to folders are followed, each folder is entered once. What is hidden from users, or no file, is left out.
    """
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            if os.path.isdir(path):  # noqa: PTH112 - as above
                waiting += reversed(_children(path, entered))
            elif os.path.isfile(path) and not _is_hidden(path, folder):  # noqa: PTH113 - as above
                yield path
        except OSError as exc:
            yield failing(shown(path), f"{shown(path)} cannot be read: {exc.strerror}")


def _children(folder: str, entered: set[tuple[int, int]]) -> list[str]:
    found = Path(folder).stat()
    if (found.st_dev, found.st_ino) in entered:
        return []
    entered.add((found.st_dev, found.st_ino))
    return sorted(entry.path for entry in os.scandir(folder))


def _is_hidden(path: str, folder: str) -> bool:
    """Whether a file below a folder is hidden, or lies in a hidden folder, such as ``.git``, and is none that is taken."""
    in_hidden = f"{os.sep}." in os.sep + path[len(folder) :] and not is_taken(path)
    return in_hidden or is_hidden(os.path.basename(path))  # noqa: PTH119 - ten thousand of them


def _child(path: str, met: set[str], bounds: Bounds) -> Iterator[Source]:
    if is_taken(path):
        yield from _file(path, met, bounds, was_named=False)
    elif (real := os.path.realpath(path)) not in met:
        met.add(real)
        yield passed_over(shown(path))


def _file(path: str, met: set[str], bounds: Bounds, *, was_named: bool, by_content: bool = False) -> Iterator[Source]:
    real = os.path.realpath(path)
    if real in met:
        return
    met.add(real)
    # a pipe gives its bytes only once, or never
    archive = _archive(path, by_content=by_content) if os.path.isfile(path) else None  # noqa: PTH113 - as above
    if archive is None:
        yield Source(shown(path), shown(Path(path).name), partial(read_plain, path, bounds.file_bytes), was_named)
        return
    with archive:
        yield from members(archive, shown(path), bounds, was_named=was_named)


def _archive(path: str, *, by_content: bool) -> BinaryIO | None:
    """The file, opened, where it is an archive by its name, or by its first bytes; None else, and where it cannot be opened."""
    if not (by_content or path.lower().endswith(".zip")):
        return None
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - who reads it closes it
    except OSError:
        # who reads it as a file says why
        return None
    if path.lower().endswith(".zip") or file.read(len(MAGIC)) == MAGIC:
        return file
    file.close()
    return None


def _bounded(data: bytes, name: str, bounds: Bounds) -> bytes:
    if len(data) > bounds.file_bytes:
        raise FormatError(f"{name} is larger than {bounds.file_bytes // MEBIBYTE} MiB")
    return data
