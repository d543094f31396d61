"""What a database has of pointq's tables and of what they can lie on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from pointq.store.statements import text

SAFE = (2, 18, 1)
"""TimescaleDB before it could lose rows of INSERT … ON CONFLICT DO NOTHING into compressed chunks, and say nothing."""


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension of this database."""

    version: str
    schema: str
    """Where its functions are, which need not be where names are looked up."""
    license: str | None = None

    @property
    def keeps_late_rows(self) -> bool:
        """Whether rows for compressed chunks are safe with it."""
        return version_number(self.version) >= SAFE


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column as it is."""

    name: str
    type: str
    required: bool
    filled: bool
    """Whether the database fills it where nothing is given."""


@dataclass(frozen=True, slots=True)
class Hypertable:
    """How a hypertable is kept."""

    chunk: timedelta
    columnstore: bool
    compress_after: timedelta | None
    drop_after: timedelta | None
    rollups: Mapping[str, timedelta | None]
    """Its continuous aggregates by name, and the age up to which each is refreshed; None: all of it, or never."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is."""

    name: str
    schema: str
    kind: str
    """``relkind`` of pg_class."""
    columns: tuple[FoundColumn, ...]
    indexes: frozenset[tuple[str, ...]]
    """Columns of each index that covers all rows."""
    keys: frozenset[tuple[str, ...]]
    """Those of the unique ones that a conflict can use."""
    deferrable: tuple[str, ...]
    """Unique indexes of constraints that are checked at the end of a transaction."""
    empty: bool
    hypertable: Hypertable | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A database as it is."""

    version: int | None
    """Version of the tables, where it is written down."""
    tables: Mapping[str, Table]
    extensions: Mapping[str, Extension] = field(default_factory=dict)

    @property
    def timescaledb(self) -> Extension | None:
        """TimescaleDB, where this database has it."""
        return self.extensions.get("timescaledb")


def version_number(version: str) -> tuple[int, ...]:
    """``2.23.0-dev`` as numbers."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdecimal())


async def look(connection: AsyncConnection[Any], names: Sequence[str]) -> Facts:
    """Ask the database for those tables. Raises psycopg.Error."""
    extensions = await _extensions(connection)
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(text("facts_tables"), {"names": list(names)})
    rows = await cursor.fetchall()
    hypertables = await _hypertables(connection, rows) if "timescaledb" in extensions else {}
    tables = {}
    for row in rows:
        name = row["name"]
        columns = tuple(FoundColumn(*column) for column in row["columns"])
        indexes, keys = (frozenset(map(tuple, row[of])) for of in ("indexes", "unique_keys"))
        empty = row["relkind"] in "rp" and await _is_empty(connection, name)
        deferrable = tuple(row["deferrable"])
        tables[name] = Table(
            name, row["schema"], row["relkind"], columns, indexes, keys, deferrable, empty, hypertables.get(name)
        )
    return Facts(await _version(connection), tables, extensions)


async def _extensions(connection: AsyncConnection[Any]) -> dict[str, Extension]:
    cursor = await connection.execute(text("facts_extensions"))
    return {name: Extension(*rest) for name, *rest in await cursor.fetchall()}


async def _hypertables(connection: AsyncConnection[Any], tables: Iterable[Mapping[str, Any]]) -> dict[str, Hypertable]:
    cursor = connection.cursor(row_factory=dict_row)
    places = {"schemas": [t["schema"] for t in tables], "names": [t["name"] for t in tables]}
    await cursor.execute(text("facts_hypertables"), places)
    return {
        row["name"]: Hypertable(
            row["chunk"],
            row["columnstore"],
            row["compress_after"],
            row["drop_after"],
            {name: None if age is None else timedelta(seconds=age) for name, age in (row["rollups"] or {}).items()},
        )
        for row in await cursor.fetchall()
    }


async def _is_empty(connection: AsyncConnection[Any], table: str) -> bool:
    cursor = await connection.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
    return bool((await cursor.fetchone() or (False,))[0])


async def _version(connection: AsyncConnection[Any]) -> int | None:
    cursor = await connection.execute("SELECT to_regclass('pointq_schema') IS NOT NULL")
    if not (await cursor.fetchone() or (False,))[0]:
        return None
    cursor = await connection.execute("SELECT max(version) FROM pointq_schema")
    row = await cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else None
