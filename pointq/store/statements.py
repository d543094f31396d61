"""The SQL files, and the statements composed of them for the tables that are written to.

What every batch needs is rendered once: composing it anew each time costs the writer more than sending it.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import LiteralString

from psycopg import sql

from pointq.points.kinds import Column
from pointq.store.mapping import SUMMARY_FIELDS, PointsTable, Table


@cache
def text(name: str) -> LiteralString:
    """The text of one file under ``sql/``."""
    # a file of the package is as trustworthy as a literal in its code
    return (files("pointq.store") / "sql" / f"{name}.sql").read_text("utf8")


_SHAPES = 256
"""Sets of columns whose statements are remembered; senders decide how many there are."""

_FLIGHT_TYPES: Mapping[str, LiteralString] = {"flight_uuid": "uuid", "flight_id": "text", "device_id": "text"}


@lru_cache(_SHAPES)
def copy_points(table: PointsTable, columns: tuple[Column, ...]) -> bytes:
    """``COPY … FROM STDIN`` in binary: what is said of the flight, those columns, and what is the same in every row."""
    copy = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")
    return copy.format(table=table.identifier, columns=_names(table, columns)).as_bytes(None)


@lru_cache(_SHAPES)
def insert_points(table: PointsTable, columns: tuple[Column, ...], flights: Table | None) -> bytes:
    """``INSERT … SELECT FROM unnest`` of those columns.

    One parameter an array, named as pointq names the column. With `flights` it also updates those, needs ``kind``, and returns
    the number of rows stored.
    """
    places = {
        "table": table.identifier,
        "columns": _names(table, columns),
        "given": sql.SQL(", ").join([sql.SQL("*"), *map(sql.Literal, table.values.values())]),
        "arrays": sql.SQL(", ").join(_arrays(table, columns)),
    }
    if flights is None:
        return sql.SQL(text("insert_points")).format(**places).as_bytes(None)
    has_altitude = any(column.name == table.kind.altitude for column in columns)
    places |= {field: table.column(field) for field in ("flight_uuid", "time", "lat", "lon")}
    altitude = table.column(table.kind.altitude) if has_altitude else sql.NULL
    added = sql.SQL(text("added_by_insert")).format(**places, altitude=altitude)
    updated = sql.SQL(", updated AS (\n{update}\n)\nSELECT coalesce(sum(points), 0)::bigint FROM added").format(
        update=update_flights(flights)
    )
    return (added + updated).as_bytes(None)


@cache
def count_copied(flights: Table) -> bytes:
    """Bring flights up to date with what was copied."""
    return (sql.SQL(text("added_by_copy")) + update_flights(flights)).as_bytes(None)


@cache
def lock_flights(flights: Table) -> bytes:
    """Make and lock the rows of flights; returns the UUID and the last fix of each, in microseconds."""
    given = {
        "kind": sql.SQL("%(kind)s"),
        **{field: sql.Identifier("t", field) for field in _FLIGHT_TYPES},
        "updated_at": sql.SQL("now()"),
    }
    fields = [field for field in given if field in flights.columns]
    changes = [_unless_known(flights, field) for field in ("flight_id", "device_id") if field in fields]
    if "updated_at" in fields:
        changes.append(sql.SQL("{} = now()").format(flights.column("updated_at")))
    # without any change there is no row to lock
    touch = sql.SQL("{0} = f.{0}").format(flights.column("flight_uuid"))
    return (
        sql.SQL(text("lock_flights"))
        .format(
            flights=flights.identifier,
            columns=_list([flights.column(field) for field in fields] + [sql.Identifier(name) for name in flights.values]),
            given=_list([*(given[field] for field in fields), *map(sql.Literal, flights.values.values())]),
            key=_list([flights.column(field) for field in ("kind", "flight_uuid") if field in fields]),
            changes=_lines(changes or [touch]),
            flight_uuid=flights.column("flight_uuid"),
            last_fix=flights.column("last_fix"),
        )
        .as_bytes(None)
    )


@cache
def update_flights(flights: Table) -> sql.Composed:
    """``UPDATE`` of those flights that ``added`` names."""
    mine = sql.SQL("f.{} = a.flight_uuid").format(flights.column("flight_uuid"))
    if "kind" in flights.columns:
        mine = sql.SQL("f.{} = %(kind)s AND ").format(flights.column("kind")) + mine
    changes = [
        sql.SQL("{} = {}").format(flights.column(f), _updated(flights, f)) for f in SUMMARY_FIELDS if f in flights.columns
    ]
    if "updated_at" in flights.columns:
        changes.append(sql.SQL("{} = now()").format(flights.column("updated_at")))
    return sql.SQL(text("update_flights")).format(flights=flights.identifier, changes=_lines(changes), mine=mine)


def sql_type(column: Column) -> sql.SQL:
    """The column's type in PostgreSQL."""
    return sql.SQL(column.type.value.sql)


def flight_type(field: str) -> sql.SQL:
    """The type of what a point's row holds of its flight."""
    return sql.SQL(_FLIGHT_TYPES[field])


def _updated(flights: Table, field: str) -> sql.Composed:
    """What a column of a flight becomes."""
    mine, added = sql.SQL("f.{}").format(flights.column(field)), sql.Identifier("a", field)
    if field == "points":
        return sql.SQL("{} + {}").format(mine, added)
    if field in {"last_lat", "last_lon", "last_elevation"}:
        names = ("last_fix", "last_lat", "last_lon")
        kept = sql.SQL("({}) >= ({})").format(
            _list([sql.SQL("f.{}").format(flights.column(name)) for name in names]),
            _list([sql.Identifier("a", name) for name in names]),
        )
        return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(kept, mine, added)
    keep = "least" if field.startswith(("first", "min")) else "greatest"
    return sql.SQL("{}({}, {})").format(sql.SQL(keep), mine, added)


def _unless_known(flights: Table, field: str) -> sql.Composed:
    return sql.SQL("{0} = coalesce(f.{0}, excluded.{0})").format(flights.column(field))


def _arrays(table: PointsTable, columns: Iterable[Column]) -> list[sql.Composed]:
    typed = [(field, flight_type(field)) for field in table.flight_fields]
    typed += [(column.name, sql_type(column)) for column in columns]
    return [sql.SQL("{}::{}[]").format(sql.Placeholder(name), type_) for name, type_ in typed]


def _names(table: PointsTable, columns: Iterable[Column]) -> sql.Composed:
    fields = (*table.flight_fields, *(column.name for column in columns))
    return _list([*map(table.column, fields), *map(sql.Identifier, table.values)])


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _lines(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(",\n    ").join(parts)
