"""What the database's catalog says of tables: read in one round trip, changed by nothing here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, sql

from pointq.store.statements import text

_CATALOG = sql.SQL(text("catalog"))


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """One column."""

    name: str
    type: str
    """As PostgreSQL writes it, such as ``double precision``."""
    required: bool
    """NOT NULL."""
    filled: bool
    """The database has a value for it where an INSERT brings none."""
    generated: bool
    """An INSERT may bring none."""


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """One index."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    primary: bool
    whole: bool
    """Over plain columns and over all rows."""
    valid: bool
    immediate: bool
    """Not of a deferrable constraint, which ON CONFLICT does not look at."""
    nulls_equal: bool
    """NULLS NOT DISTINCT."""

    @property
    def decides(self) -> bool:
        """Whether ON CONFLICT looks at it, for every row."""
        return self.unique and self.whole and self.valid and self.immediate


@dataclass(frozen=True, slots=True)
class FoundConstraint:
    """A CHECK, a foreign key or an exclusion."""

    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    """One table, as the session sees it."""

    name: str
    schema: str
    kind: str
    """``r`` table, ``p`` partitioned, ``v`` view, ``f`` foreign, …: pg_class.relkind."""
    unlogged: bool
    row_security: bool
    """Row security is in force for the session's user."""
    rights: frozenset[str]
    """Of INSERT, SELECT and UPDATE those that the session's user has."""
    columns: tuple[FoundColumn, ...]
    indexes: tuple[FoundIndex, ...]
    triggers: tuple[str, ...]
    rules: tuple[str, ...]
    constraints: tuple[FoundConstraint, ...]

    @property
    def by_name(self) -> dict[str, FoundColumn]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


async def read(connection: AsyncConnection, names: Iterable[str]) -> dict[str, FoundTable]:
    """Those of these tables that there are, by name. Raises psycopg.Error."""
    cursor = await connection.execute(_CATALOG, {"names": list(names)})
    return {row["name"]: _table(row) for (row,) in await cursor.fetchall()}


def _table(row: Mapping[str, Any]) -> FoundTable:
    parts = {
        "rights": frozenset(row["rights"]),
        "columns": tuple(FoundColumn(**column) for column in row["columns"]),
        "indexes": tuple(FoundIndex(**index | {"columns": tuple(index["columns"])}) for index in row["indexes"]),
        "triggers": tuple(row["triggers"]),
        "rules": tuple(row["rules"]),
        "constraints": tuple(FoundConstraint(**constraint) for constraint in row["constraints"]),
    }
    return FoundTable(**{**row, **parts})
