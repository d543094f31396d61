"""The SQL files, and the statements composed of them."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import LiteralString

from psycopg import sql

from pointq.points.kinds import Column, Kind


@cache
def text(name: str) -> LiteralString:
    """The text of one file under ``sql/``."""
    # a file of the package is as trustworthy as a literal in its code
    return (files("pointq.store") / "sql" / f"{name}.sql").read_text("utf8")


LOCK_FLIGHTS = sql.SQL(text("lock_flights"))
COUNT_COPIED = sql.SQL(text("added_by_copy")) + sql.SQL(text("update_flights"))

_SHAPES = 256
"""Sets of columns whose statements are remembered; senders decide how many there are."""


@lru_cache(_SHAPES)
def copy_points(kind: Kind, columns: tuple[Column, ...]) -> sql.Composed:
    """``COPY … FROM STDIN`` of those columns, behind flight_uuid, in binary."""
    return sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)").format(
        table=sql.Identifier(kind.table), columns=_names(columns)
    )


@lru_cache(_SHAPES)
def insert_points(kind: Kind, columns: tuple[Column, ...]) -> sql.Composed:
    """``INSERT … SELECT FROM unnest`` of those columns, which also updates the flights; returns the number of rows stored.

    One parameter an array, named as the column, and ``kind``.
    """
    arrays: list[sql.Composable] = [sql.SQL("%(flight_uuid)s::uuid[]")]
    arrays += [
        sql.SQL("{value}::{type}[]").format(value=sql.Placeholder(column.name), type=sql_type(column)) for column in columns
    ]
    altitude = next((c for c in columns if c.name == kind.altitude), None)
    added = sql.SQL(text("added_by_insert")).format(
        table=sql.Identifier(kind.table),
        columns=_names(columns),
        arrays=sql.SQL(", ").join(arrays),
        altitude=sql.Identifier(altitude.name) if altitude else sql.NULL,
    )
    updated = sql.SQL(", updated AS (\n{update}\n)\nSELECT coalesce(sum(points), 0)::bigint FROM added").format(
        update=sql.SQL(text("update_flights"))
    )
    return added + updated


def sql_type(column: Column) -> sql.SQL:
    """The column's type in PostgreSQL."""
    return sql.SQL(column.type.value.sql)


def _names(columns: tuple[Column, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in ("flight_uuid", *(column.name for column in columns)))
