"""What the catalog says of one table, whoever made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from pointq.store.mapping import Table
from pointq.store.statements import text


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column of a table, in the order of the query."""

    name: str
    type: str
    """As pg_type calls it: float8."""
    shown: str
    """As SQL writes it: double precision, numeric(9,6)."""
    unbounded: str
    """The same without length or precision, to cast to without cutting."""
    modifier: int
    """-1 where the type has no length or precision."""
    nullable: bool
    has_default: bool
    generated: bool
    """Nobody may write into it."""


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """One unique index of a table, in the order of the query."""

    name: str
    columns: Sequence[str | None]
    """None stands for an expression."""
    whole: bool
    """It is valid and covers every row."""
    immediate: bool
    """Its constraint, if any, is not deferrable."""
    nulls_not_distinct: bool


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the catalog says of a table."""

    relation: str
    """``r`` a table, ``p`` a partitioned one, and others."""
    row_security: bool
    columns: Sequence[ColumnFacts]
    unique: Sequence[IndexFacts]


async def look_at(connection: AsyncConnection[Any], table: Table) -> TableFacts | None:
    """The facts of that table; None where it is not there, or this user may not know. Raises psycopg.Error."""
    cursor = await connection.execute(text("table_facts"), (table.identifier.as_string(connection),))
    row = await cursor.fetchone()
    if row is None:
        return None
    relation, row_security, columns, unique = row
    return TableFacts(
        relation,
        row_security,
        [ColumnFacts(*column) for column in columns or ()],
        [IndexFacts(*index) for index in unique or ()],
    )
