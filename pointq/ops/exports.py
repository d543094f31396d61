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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import orjson

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
        made_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
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


def read(path: Path) -> Iterator[Batch]:
    """The batches of an export, one in memory at a time.

    Raises FormatError where it is none or is damaged, with the line; and behind the last batch where the file was cut.
    """
    batches = points = 0
    with _opened(path) as file:
        lines = _lines(path, file)
        first = next(lines, None)
        if first is None or first[1].get("pointq_export") != VERSION:
            raise FormatError(f"{path} is no export of pointq: its first line is not that of version {VERSION}")
        for number, fields in lines:
            if "frame" not in fields:
                if fields == {"batches": batches, "points": points} and next(lines, None) is None:
                    return
                whole = f"{batches} batches of {points} points stand before it"
                raise FormatError(f"{path}:{number}: the last line does not fit, {whole}")
            batch = _batch(path, number, fields)
            batches, points = batches + 1, points + (batch.points or 0)
            yield batch
    raise FormatError(f"{path} was cut: its last line is missing; {batches} batches of {points} points are whole")


def author() -> str:
    """Who runs this, as user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def _opened(path: Path) -> Any:  # noqa: ANN401 - a binary file
    try:
        return path.open("rb")
    except OSError as exc:
        raise FormatError(f"the export {path} cannot be read: {exc.strerror or exc}") from exc


def _lines(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:  # noqa: ANN401 - a binary file
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError as exc:
            if not line.endswith(b"\n"):
                return  # cut in the middle of a line
            raise FormatError(f"{path}:{number}: no JSON: {exc}") from exc
        if not isinstance(fields, dict):
            raise FormatError(f"{path}:{number}: expected an object")
        yield number, fields


def _batch(path: Path, number: int, fields: dict[str, Any]) -> Batch:
    try:
        content = base64.b64decode(fields["frame"], validate=True)
        failures = tuple(Failure(each["at"], each["sqlstate"], each["message"]) for each in fields["failures"])
        return Batch(**{name: fields[name] for name in FIELDS} | {"failures": failures, "frame": content})
    except (KeyError, TypeError, ValueError, binascii.Error) as exc:
        raise FormatError(f"{path}:{number}: no batch of an export: {exc!r}") from exc


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
