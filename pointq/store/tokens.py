"""The tokens of this installation, the table `pointq_tokens`."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, errors, sql
from psycopg.abc import Buffer
from psycopg.rows import class_row
from psycopg.types.datetime import TimestamptzLoader

from pointq.errors import DatabaseError, PointqError
from pointq.store.faults import one_line
from pointq.store.statements import text


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; times are in UTC. `hash` is its SHA-256, 32 bytes."""

    hash: bytes = field(repr=False)
    name: str
    scopes: list[str]
    device: str | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None

    def state(self, now: dt.datetime) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


async def enter(connection: AsyncConnection[Any], token: Token) -> None:
    """Put a new token into the table. Raises PointqError where its name is in use, DatabaseError."""
    with _told("written"):
        try:
            await connection.execute(sql.SQL(text("enter_token")), asdict(token))
        except errors.UniqueViolation as exc:
            hint = f"choose another name, or `pointq token revoke {token.name}` first"
            raise PointqError(f"there is a token named {token.name} already", hint=hint) from exc


async def revoke(connection: AsyncConnection[Any], name: str) -> Token | None:
    """Revoke the token of that name; None where there is none that is not revoked. Raises DatabaseError."""
    with _told("written"):
        async with _cursor(connection) as cursor:
            await cursor.execute(sql.SQL(text("revoke_token")), {"name": name})
            return await cursor.fetchone()


async def every(connection: AsyncConnection[Any]) -> list[Token]:
    """All tokens that ever were, the newest last. Raises DatabaseError."""
    with _told("read"):
        async with _cursor(connection) as cursor:
            await cursor.execute(sql.SQL(text("every_token")))
            return await cursor.fetchall()


async def version(connection: AsyncConnection[Any]) -> str:
    """A text that changes whenever a token is made or revoked. Raises DatabaseError."""
    with _told("read"):
        cursor = await connection.execute(sql.SQL(text("tokens_version")))
        (found,) = await cursor.fetchone() or ("",)
        return str(found)


_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


class _Bounded(TimestamptzLoader):
    """Moments that Python has no year for, and PostgreSQL's infinities: the first and the last that it has.

    One of them, set by hand, must not keep all other tokens from being read.
    """

    def load(self, data: Buffer) -> dt.datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            return _FIRST if text == b"-infinity" or text.endswith(b"BC") else _LAST


def _cursor(connection: AsyncConnection[Any]) -> AsyncCursor[Token]:
    cursor = connection.cursor(row_factory=class_row(Token))
    cursor.adapters.register_loader("timestamptz", _Bounded)
    return cursor


@contextmanager
def _told(done: str) -> Iterator[None]:
    try:
        yield
    except errors.UndefinedTable as exc:
        raise DatabaseError("the table pointq_tokens is missing", hint="`pointq db init` makes it") from exc
    except psycopg.Error as exc:
        raise DatabaseError(f"the tokens cannot be {done}: {one_line(exc)}") from exc
