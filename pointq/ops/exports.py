"""Export files: batches as they lay in the queue, to be looked at, kept, or put back.

JSON lines in UTF-8. The first says ``{"pointq_export": 1, "made_at", "by", "kind", "state"}``, then one a batch (the fields of
`batches.Batch` that `FIELDS` names, the frame in base64), the last ``{"batches": n, "points": m}``, so that a file that was cut
is noticed. A file gets its name when all of it is on the disk.
"""

import base64
import binascii
import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import orjson

from pointq import clock
from pointq.errors import FormatError, PointqError
from pointq.ops.batches import Batch, Failure

VERSION = 1
FIELDS = (
    "kind",
    "shard",
    "queue",
    "id",
    "state",
    "points",
    "deliveries",
    "sqlstate",
    "message",
    "first_seen",
    "last_seen",
    "failures",
)
"""What a line has besides the frame."""

_TEMPORARY = ".new"
_MAX_LINE = 2**28
"""Bytes of a line; the largest frame takes 90 MB in base64."""

T = TypeVar("T")


class Export:
    """A file that is being written; `finish` makes it whole, leaving the block without it removes it."""

    def __init__(self, path: Path, kind: str, state: str) -> None:
        self.path = path
        self.batches = 0
        self.points = 0
        self._kind = kind
        self._state = state
        self._fresh = path.with_name(path.name + _TEMPORARY)

    def __enter__(self) -> Self:
        if self.path.exists():
            raise PointqError(f"{self.path} is there already", hint="--export FILE writes another file")
        try:
            # for the owner alone: where people fly is nobody else's business
            fd = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._file = os.fdopen(fd, "wb")
        made_at = clock.now()
        head = {"pointq_export": VERSION, "made_at": made_at, "by": author(), "kind": self._kind, "state": self._state}
        self._write(head)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._fresh.unlink()

    def add(self, batch: Batch) -> None:
        """Write a batch. Raises PointqError where the file cannot be written."""
        fields = {name: getattr(batch, name) for name in FIELDS}
        self._write(fields | {"frame": base64.b64encode(batch.frame).decode()})
        self.batches += 1
        self.points += batch.points or 0

    def finish(self) -> None:
        """See all of it onto the disk, then give the file its name. Raises PointqError."""
        self._write({"batches": self.batches, "points": self.points})
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._fresh.rename(self.path)
            _sync_folder(self.path.parent)
        except OSError as exc:
            raise self._failed(exc) from exc

    def _write(self, value: object) -> None:
        try:
            self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as exc:
            raise self._failed(exc) from exc

    def _failed(self, exc: OSError) -> PointqError:
        return PointqError(
            f"the export {self.path} cannot be written: {exc.strerror or exc}",
            hint="nothing was changed; --export FILE writes it elsewhere",
        )


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in an export that is not as it should be, and what is known of it."""

    reason: str
    kind: str | None = None
    points: int | None = None


def items(path: Path) -> Iterator[tuple[str, Batch | Flaw]]:
    """The batches of an export, and what is wrong with it, each with its place; one in memory at a time.

    What is whole behind something damaged comes too. A file that was cut says so at its end.
    """
    try:
        with path.open("rb") as file:
            yield from _items(path, file)
    except OSError as exc:
        yield str(path), Flaw(f"the file cannot be read: {exc.strerror or exc}")


def read(path: Path) -> Iterator[Batch]:
    """The batches of an export. Raises FormatError where something is wrong with it, behind the batches that stand before."""
    for where, item in items(path):
        if isinstance(item, Flaw):
            raise FormatError(f"{where}: {item.reason}")
        yield item


def author() -> str:
    """Who runs this, as user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def _items(path: Path, file: IO[bytes]) -> Iterator[tuple[str, Batch | Flaw]]:
    if _object(file.readline(_MAX_LINE)).get("pointq_export") != VERSION:
        yield str(path), Flaw(f"this is no export of pointq: its first line is not that of version {VERSION}")
        return
    count = points = 0
    for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), start=2):
        fields = _object(line)
        if "frame" not in fields and "batches" in fields:
            if fields != {"batches": count, "points": points} or file.read(1):
                yield f"{path}:{number}", Flaw(f"{count} batches of {points} points are in the file, which says otherwise")
            return
        count += 1
        points += _typed(fields, "points", int) or 0
        yield f"{path}:{number}", _batch(fields) if line.endswith(b"\n") else Flaw("the line was cut")
    yield str(path), Flaw(f"the file was cut: its last line is missing behind {count} batches of {points} points")


def _object(line: bytes) -> dict[str, Any]:
    """The object on a line; an empty one where there is none, which is no batch either."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _batch(fields: dict[str, Any]) -> Batch | Flaw:
    kind, points = _typed(fields, "kind", str), _typed(fields, "points", int)
    try:
        content = base64.b64decode(fields["frame"], validate=True)
        failures = tuple(Failure(each["at"], each["sqlstate"], each["message"]) for each in fields["failures"])
        known = {name: fields[name] for name in FIELDS} | {"kind": kind, "points": points}
        return Batch(**known | {"failures": failures, "frame": content})
    except (KeyError, TypeError, ValueError, binascii.Error) as exc:
        return Flaw(f"this is no batch of an export: {exc!r}", kind, points)


def _typed(fields: dict[str, Any], name: str, type_: type[T]) -> T | None:
    value = fields.get(name)
    return value if isinstance(value, type_) else None


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
