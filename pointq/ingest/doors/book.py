"""The book of tokens that are good, and its copy on disk: with it, doors open while Redis and the database are down."""

import datetime as dt
import hmac
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pointq.ingest.doors.grants import Grant
from pointq.ops.tokens import digest
from pointq.store.tokens import Token

_KEY_BYTES = 16
"""Of a digest, to find an entry by: only among 2^64 tokens would two agree in them."""

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Entry:
    """A token in the book: the digest that a client's must have, and what it grants."""

    digest: bytes = field(repr=False)
    grant: Grant


class Book:
    """Good tokens; it does not change. `version` is the database's (`pointq.store.tokens.version`)."""

    def __init__(self, entries: Sequence[Entry], version: str) -> None:
        self.entries = entries
        self.version = version
        self._by_key = {entry.digest[:_KEY_BYTES]: entry for entry in entries}

    @classmethod
    def of(cls, tokens: Iterable[Token], version: str) -> "Book":
        """The book of those that are not revoked; that one has expired is seen when it is shown."""
        return cls([_entry(token) for token in tokens if token.revoked_at is None], version)

    def find(self, secret: str) -> Grant | None:
        """What a token grants; None where it is not in the book.

        Compared in constant time. That the entry is found by a hash of the token tells nothing either: nobody can choose tokens
        whose hashes come closer and closer.
        """
        found = digest(secret)
        entry = self._by_key.get(found[:_KEY_BYTES])
        return entry.grant if entry is not None and hmac.compare_digest(entry.digest, found) else None


def _entry(token: Token) -> Entry:
    until = token.expires_at.timestamp() if token.expires_at else float("inf")
    return Entry(token.hash, Grant(token.name, frozenset(token.scopes), token.device, until))


class _Line(msgspec.Struct, frozen=True):
    digest: str
    name: str
    scopes: list[str]
    device: str | None
    until: float | None


class _File(msgspec.Struct, frozen=True):
    database: str
    version: str
    written_at: dt.datetime
    tokens: list[_Line]


@dataclass(frozen=True, slots=True)
class BookFile:
    """A book on disk, of one database: hashes only, and still nobody else's business."""

    path: Path
    database: str
    """Where it is, without user and password: tokens of one installation open nothing at another."""

    def read(self) -> Book | None:
        """The book; None where there is none of this database.

        Raises OSError where it cannot be read, or where somebody else could have written it; ValueError where it is damaged.
        """
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor
            found = os.fstat(fd)
            if found.st_uid not in {os.geteuid(), 0} or found.st_mode & _WRITABLE_BY_OTHERS:
                raise PermissionError(f"{self.path} is not believed, since others may write it")
            kept = msgspec.json.decode(file.read(), type=_File)
        if kept.database != self.database:
            return None
        return Book([_of_line(line) for line in kept.tokens], kept.version)

    def write(self, book: Book) -> None:
        """Put the book there, whole or not at all, whoever else writes it at the same time. Raises OSError."""
        lines = [_to_line(entry) for entry in book.entries]
        content = msgspec.json.encode(_File(self.database, book.version, dt.datetime.now(dt.UTC), lines))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # a name of its own, and 0600 from the first moment
        fd, fresh = tempfile.mkstemp(prefix=f"{self.path.name}.", dir=self.path.parent)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)
                file.flush()
                os.fsync(fd)
            Path(fresh).replace(self.path)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise


def _to_line(entry: Entry) -> _Line:
    grant = entry.grant
    until = None if grant.until == float("inf") else grant.until
    return _Line(entry.digest.hex(), grant.name, sorted(grant.scopes), grant.device, until)


def _of_line(line: _Line) -> Entry:
    until = float("inf") if line.until is None else line.until
    return Entry(bytes.fromhex(line.digest), Grant(line.name, frozenset(line.scopes), line.device, until))
