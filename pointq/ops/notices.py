"""Which way points go, said by each serve process of a data folder to whoever asks on this machine: Redis may be what is away.

A file each, `<spool>/serving/<pid>-<chance>.json`, which its process keeps locked: the kernel unlocks what a dead one left, and
nobody believes it any more.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from pointq.embedded.locks import Lock

_FOLDER = "serving"
_BYTES = 4096
"""Of a notice, filled up with spaces: one write in place changes all of it."""
_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class IntakeStatus:
    """Which way points are going in a serve process: where there are several, each finds its own way."""

    via: str
    since: str
    """RFC 3339."""
    is_open: bool
    pid: int
    reason: str | None = None
    """Why they do not go by the queue."""


class Notice:
    """What this process says. Raises OSError where its file cannot be made."""

    def __init__(self, spool: Path) -> None:
        folder = spool / _FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(folder)
        # in containers that share a folder every server may be process 1
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._path = folder / f"{name}.json"
        # under another name until it is locked, or it would pass for a dead process's
        made = folder / f"{name}.new"
        self._lock = Lock(made)
        self._lock.exclusive()
        made.rename(self._path)
        self._said: IntakeStatus | None = None

    def put(self, intake: IntakeStatus) -> None:
        """Say it, where it is news. Raises OSError."""
        if intake == self._said:
            return
        reason = intake.reason[:_MOST_REASON] if intake.reason else None
        text = orjson.dumps({**asdict(intake), "reason": reason}).ljust(_BYTES)
        os.pwrite(self._lock.fd, text, 0)
        self._said = intake

    def close(self) -> None:
        """Say nothing more."""
        self._path.unlink(missing_ok=True)
        self._lock.close()


def read(spool: Path) -> tuple[IntakeStatus, ...]:
    """What the serve processes that live say. Raises OSError."""
    found = []
    for path in sorted((spool / _FOLDER).glob("*.json")):
        # one that just ended, says nothing yet, or, an older version's, too little
        with suppress(FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError), Lock(path, create=False) as lock:
            if not lock.shared():
                found.append(_parse(path.read_bytes()))
    return tuple(found)


def _parse(text: bytes) -> IntakeStatus:
    # a newer version's server may say more
    fields = orjson.loads(text)
    if not isinstance(fields["since"], str):
        raise TypeError("an older version's server says Unix seconds")
    return IntakeStatus(**{name: fields[name] for name in IntakeStatus.__dataclass_fields__ if name in fields})


def _tidy(folder: Path) -> None:
    """Remove what dead processes left."""
    for path in _left(folder):
        path.unlink(missing_ok=True)


def _left(folder: Path) -> Iterator[Path]:
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError), Lock(path, create=False) as lock:
            if lock.shared():
                yield path
