"""The points of a flight, as they are in the table."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import psycopg
from psycopg import AsyncConnection, sql

from pointq.errors import DatabaseError
from pointq.points.batch import Array, PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import NULL_TEXT, Column, ColumnType, Kind
from pointq.store.faults import one_line
from pointq.store.mapping import PointsTable
from pointq.store.statements import sql_type, text

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

PIECE = 10_000
"""Points read at a time: some megabytes, and few round trips."""


@asynccontextmanager
async def snapshot(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """Everything that is read within is of one moment, whatever workers store meanwhile; nothing can be written."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


Span = tuple[dt.datetime, dt.datetime]
"""A first and a last time, both included."""


async def points_of(
    connection: AsyncConnection[Any], table: PointsTable, flight: Flight, span: Span, piece: int = PIECE
) -> AsyncIterator[PointBatch]:
    """The points of a flight in order of (time, lat, lon), by a cursor on the server, so many at a time; within a transaction.

    The span spares the chunks of other days. A column that is NULL in a whole piece, or that a user's table does not have, is
    left out of it. Raises DatabaseError.
    """
    columns = table.stored(table.kind.columns)
    try:
        async with connection.cursor("pointq_points", binary=True) as cursor:
            cursor.itersize = piece
            await cursor.execute(_select(table, columns), (str(flight.uuid), *span))
            while rows := await cursor.fetchmany(piece):
                yield _batch(table.kind, flight, columns, rows)
    except psycopg.Error as exc:
        raise DatabaseError(f"the points of the table {table.shown} cannot be read: {one_line(exc)}") from exc


def _select(table: PointsTable, columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(text("points_of")).format(
        columns=sql.SQL(", ").join(_selected(table, column) for column in columns),
        table=table.identifier,
        **{field: table.column(field) for field in ("flight_uuid", "time", "lat", "lon")},
    )


def _selected(table: PointsTable, column: Column) -> sql.Composed:
    name = table.column(column.name)
    if column.type is ColumnType.TIME:
        # a number, not a datetime: exact, and an array of them is made at once
        return sql.SQL("(extract(epoch FROM {}) * 1000000)::bigint").format(name)
    # a user's column may have another type than pointq's
    return sql.SQL("{}::{}").format(name, sql_type(column))


def _batch(kind: Kind, flight: Flight, columns: Sequence[Column], rows: list[tuple[Any, ...]]) -> PointBatch:
    found = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        if column.required or any(value is not None for value in values):
            found[column.name] = _array(column, values)
    return PointBatch(kind, (flight,), np.zeros(len(rows), np.int32), found)


def _array(column: Column, values: tuple[Any, ...]) -> Array:
    kind = column.type.value
    if column.type is ColumnType.FLOAT:
        return np.array(values, kind.dtype)  # None becomes NaN
    if column.type is ColumnType.TEXT:
        texts = [NULL_TEXT if value is None else value.encode() for value in values]
        return np.array(texts, f"S{max(1, *map(len, texts))}")
    return np.array([kind.null if value is None else value for value in values], kind.dtype)


async def keys_of(
    connection: AsyncConnection[Any], table: PointsTable, flights: Sequence[Flight], span: tuple[int, int]
) -> list[tuple[int, float, float]]:
    """Time in microseconds, latitude and longitude of the points of those flights between two times, both included.

    Raises DatabaseError.
    """
    by = table.flight_fields[0]
    query = sql.SQL(text("keys_of")).format(
        table=table.identifier, flight=table.column(by), **{field: table.column(field) for field in ("time", "lat", "lon")}
    )
    # without a type: it is what the column is
    names = [str(flight.uuid) if by == "flight_uuid" else flight.flight_id for flight in flights]
    first, last = (_EPOCH + dt.timedelta(microseconds=us) for us in span)
    try:
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(query, (names, first, last))
            return await cursor.fetchall()
    except psycopg.Error as exc:
        raise DatabaseError(f"the points of the table {table.shown} cannot be read: {one_line(exc)}") from exc
