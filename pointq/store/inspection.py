"""Whether a table can take what pointq stores: what the facts of the catalog mean.

`check_points` and `check_flights` judge; each finding says what differs and the SQL that would mend it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import AsyncConnection, sql

from pointq.points.kinds import ColumnType
from pointq.store.mapping import FLIGHT_FIELDS, SUMMARY_FIELDS, PointsTable, Table, Tables
from pointq.store.table_facts import ColumnFacts, TableFacts, look_at


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs from what pointq needs of a table."""

    table: str
    column: str | None
    severity: Literal["error", "warning"]
    """An error: nothing is stored until it is mended. A warning: something is stored otherwise than it was sent."""
    problem: str
    mend: str | None = None
    """SQL."""


_EXACT = {
    ColumnType.FLOAT: ("float8",),
    ColumnType.INT: ("int4",),
    ColumnType.BOOL: ("bool",),
    ColumnType.TIME: ("timestamptz",),
    ColumnType.TEXT: ("text", "varchar"),
}
"""Types that are the same in COPY's binary format."""
_CAST = {
    ColumnType.FLOAT: ("float4", "numeric"),
    ColumnType.INT: ("int8", "float8", "numeric"),
    ColumnType.BOOL: (),
    ColumnType.TIME: ("timestamp",),
    ColumnType.TEXT: (),
}
"""Types that an INSERT casts to by itself, of values or of time in UTC."""
_UUID_EXACT, _UUID_CAST = ("uuid",), ("text", "varchar")


async def inspect(connection: AsyncConnection[Any], tables: Tables) -> tuple[Finding, ...]:
    """What differs in all tables that are the user's own. Raises psycopg.Error."""
    found: list[Finding] = []
    for table in tables.all:
        if table.mapped:
            facts = await look_at(connection, table)
            found += check_points(table, facts) if isinstance(table, PointsTable) else check_flights(table, facts)
    return tuple(found)


def check_points(table: PointsTable, facts: TableFacts | None) -> tuple[Finding, ...]:
    """What differs in a table of points."""
    if facts is None or facts.relation not in "rp":
        return (_no_table(table, facts),)
    given = {"time", "lat", "lon", "flight_uuid", "flight_id"}
    return (*_columns(table, facts, given), *check_key(table, facts))


def check_key(table: PointsTable, facts: TableFacts) -> tuple[Finding, ...]:
    """What keeps a table from storing a point that is sent twice only once."""
    key = [table.columns[field] for field in ("flight_uuid", "flight_id", "time", "lat", "lon") if field in table.columns]
    return (*_deferred(table, facts), *_key(table, facts, key))


def check_flights(table: Table, facts: TableFacts | None) -> tuple[Finding, ...]:
    """What differs in a table of flights."""
    if facts is None or facts.relation not in "rp":
        return (_no_table(table, facts),)
    key = {table.columns[field] for field in ("kind", "flight_uuid") if field in table.columns}
    given = {"kind", "flight_uuid", "updated_at", *SUMMARY_FIELDS}
    found = [*_columns(table, facts, given), *_entered_first(table, facts), *_deferred(table, facts)]
    if not any(index.whole and index.immediate and set(index.columns) == key for index in facts.unique):
        found.append(_without_index(table, sorted(key), "rows of flights are found by it"))
    return tuple(found)


def _entered_first(table: Table, facts: TableFacts) -> Iterator[Finding]:
    """A flight's row is there, and locked, before its points are: what sums them up comes after."""
    there = {column.name: column for column in facts.columns}
    for field in SUMMARY_FIELDS:
        column = there.get(table.columns.get(field, ""))
        if column is None or column.has_default or (column.nullable and field != "points"):
            continue
        mend = "SET DEFAULT 0" if field == "points" else "DROP NOT NULL"
        why = f"a flight is entered before its points, so {field} needs a default" + ("" if field == "points" else ", or NULL")
        yield Finding(table.shown, column.name, "error", why, _alter(table, "ALTER COLUMN", column.name, mend))


def takes_copy(table: PointsTable, facts: TableFacts) -> bool:
    """Whether every column has the very type that is sent: the binary COPY casts nothing, an INSERT does."""
    types = {column.name: column.type for column in facts.columns}
    return not facts.row_security and all(types.get(name) in _types(table, field)[0] for field, name in table.columns.items())


def _columns(table: Table, facts: TableFacts, given: set[str]) -> Iterator[Finding]:
    """`given` are the values that are never NULL."""
    there = {column.name: column for column in facts.columns}
    for field, name in table.columns.items():
        exact, _ = _types(table, field)
        if name not in there:
            yield Finding(
                table.shown, name, "error", f"there is no such column, for {field}", _alter(table, "ADD COLUMN", name, exact[0])
            )
        else:
            yield from _column(table, field, there[name], field in given)
    for name in table.values:
        if name not in there:
            yield Finding(
                table.shown,
                name,
                "error",
                "there is no such column, for a fixed value",
                _alter(table, "ADD COLUMN", name, "text"),
            )
    written = {*table.columns.values(), *table.values}
    for column in facts.columns:
        if column.name in written and column.generated:
            yield Finding(table.shown, column.name, "error", "it is generated, so nothing can be written into it")
        if column.name not in written and not (column.nullable or column.has_default or column.generated):
            yield Finding(
                table.shown,
                column.name,
                "error",
                "it is NOT NULL without a default, and nothing is written into it",
                _alter(table, "ALTER COLUMN", column.name, "DROP NOT NULL"),
            )


def _column(table: Table, field: str, column: ColumnFacts, given: bool) -> Iterator[Finding]:  # noqa: FBT001 - private
    exact, cast = _types(table, field)
    change = _alter(table, "ALTER COLUMN", column.name, f"TYPE {exact[0]}")
    if column.type not in (*exact, *cast):
        yield Finding(table.shown, column.name, "error", f"{field} is {exact[0]}, the column is {column.shown}", change)
    elif column.type in {"float4", "int2"} or column.modifier != -1:
        yield Finding(
            table.shown,
            column.name,
            "warning",
            f"{field} is {exact[0]}, and {column.shown} holds not all of its values",
            change,
        )
    if not (given or column.nullable):
        yield Finding(
            table.shown,
            column.name,
            "warning",
            f"it is NOT NULL: points without {field} become dead letters",
            _alter(table, "ALTER COLUMN", column.name, "DROP NOT NULL"),
        )


def _key(table: PointsTable, facts: TableFacts, key: Sequence[str]) -> Iterator[Finding]:
    """A unique index that a point sent twice runs into: of nothing but what makes the point, and none of it NULL."""
    fit = [index for index in facts.unique if index.whole and index.immediate and set(index.columns) <= {*key, *table.values}]
    if not fit:
        columns = [table.columns[field] for field in (table.flight_fields[0], "time", "lat", "lon")]
        yield _without_index(table, columns, "a point that is sent twice would be stored twice")
        return
    nullable = {column.name for column in facts.columns if column.nullable}
    if all(nullable & set(index.columns) and not index.nulls_not_distinct for index in fit):
        for name in sorted(nullable & set(fit[0].columns), key=str):
            yield Finding(
                table.shown,
                name,
                "error",
                f"it may be NULL and is part of {fit[0].name}: PostgreSQL takes NULLs for distinct, so a point that is sent "
                "again would be stored again",
                _alter(table, "ALTER COLUMN", str(name), "SET NOT NULL"),
            )
    for index in fit:
        for field in ("time", "lat", "lon"):
            if table.columns[field] not in index.columns:
                problem = f"{index.name} is without it: of points that differ in nothing else only the first is stored"
                yield Finding(table.shown, table.columns[field], "warning", problem)


def _deferred(table: Table, facts: TableFacts) -> Iterator[Finding]:
    for index in facts.unique:
        if not index.immediate:
            yield Finding(
                table.shown,
                None,
                "error",
                f"the constraint {index.name} is deferrable, which ON CONFLICT cannot work with",
                f"{_alter(table, 'DROP CONSTRAINT', index.name)} -- and add it again, NOT DEFERRABLE",
            )


def _no_table(table: Table, facts: TableFacts | None) -> Finding:
    if facts is not None:
        return Finding(table.shown, None, "error", "it is no table but a view or the like, and points go into tables alone")
    columns = ", ".join(f"{_quoted(name)} {_types(table, field)[0][0]}" for field, name in table.columns.items())
    return Finding(table.shown, None, "error", "there is no such table", f"CREATE TABLE {_quoted_name(table)} ({columns});")


def _without_index(table: Table, columns: Iterable[str], why: str) -> Finding:
    names = ", ".join(map(_quoted, columns))
    return Finding(
        table.shown,
        None,
        "error",
        f"no unique index has these columns, whole and at once: {names}; {why}",
        f"CREATE UNIQUE INDEX ON {_quoted_name(table)} ({names});",
    )


def _types(table: Table, field: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types that are sent for a value as they are, and those that an INSERT casts it to."""
    if field == "flight_uuid":
        return _UUID_EXACT, _UUID_CAST if isinstance(table, PointsTable) else ()
    if field == "points":
        return ("int8",), ("int4", "numeric")
    type_ = _type(table, field)
    return _EXACT[type_], _CAST[type_]


def _type(table: Table, field: str) -> ColumnType:
    if field in (*FLIGHT_FIELDS, "kind"):
        return ColumnType.TEXT
    if field in {"first_fix", "last_fix", "updated_at"}:
        return ColumnType.TIME
    if field in SUMMARY_FIELDS or not isinstance(table, PointsTable):
        return ColumnType.FLOAT
    return table.kind.by_name[field].type


def _alter(table: Table, what: str, name: str, then: str = "") -> str:
    return f"ALTER TABLE {_quoted_name(table)} {what} {_quoted(name)} {then}".rstrip() + ";"


def _quoted_name(table: Table) -> str:
    return table.identifier.as_string(None)


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)
