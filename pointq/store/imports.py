"""The ledger of imported files, the table `imports`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import class_row

from pointq.errors import DatabaseError
from pointq.store.faults import one_line
from pointq.store.statements import text

_HINT = "`pointq db init` makes the table imports where it is missing"


@dataclass(frozen=True, slots=True)
class Imported:
    """A file in the ledger. Times are UTC, `highest` is in metres."""

    content: bytes
    """BLAKE2b of its bytes, 32 bytes."""
    options: str
    """What besides its bytes decided what became of it."""
    file: str
    format: str
    kind: str
    logger: str | None
    device: str | None
    flight_ids: list[str]
    """The first of them."""
    flight_uuids: list[UUID]
    flight_points: list[int]
    """Points of each flight."""
    records: int
    points: int
    rejected: int
    duplicates: int
    """Fixes of the file that equal an earlier one in it."""
    first_fix: dt.datetime
    last_fix: dt.datetime
    highest: float | None
    length_km: float | None


async def known(connection: AsyncConnection[Any], keys: Sequence[tuple[bytes, str]]) -> list[Imported]:
    """Those of the files, given by content and options, that are in the ledger and whose points are all stored.

    Raises DatabaseError.
    """
    parameters = {"contents": [content for content, _ in keys], "options": [options for _, options in keys]}
    try:
        async with connection.cursor(row_factory=class_row(Imported)) as cursor:
            await cursor.execute(sql.SQL(text("known_imports")), parameters)
            return await cursor.fetchall()
    except psycopg.Error as exc:
        raise DatabaseError(f"the ledger of imports cannot be read: {one_line(exc)}", hint=_HINT) from exc


async def enter(connection: AsyncConnection[Any], files: Sequence[Imported]) -> None:
    """Put files into the ledger, in one transaction. Raises DatabaseError."""
    own = version("pointq")
    # in one order, so that two imports of the same files never wait for each other in a circle
    rows = [asdict(file) | {"pointq_version": own} for file in sorted(files, key=lambda file: (file.content, file.options))]
    try:
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.executemany(sql.SQL(text("enter_import")), rows)
    except psycopg.Error as exc:
        raise DatabaseError(f"the ledger of imports cannot be written: {one_line(exc)}", hint=_HINT) from exc
