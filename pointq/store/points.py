"""The points of a flight, as they are in the table."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg import AsyncConnection, sql

from pointq.errors import DatabaseError
from pointq.points.batch import Array, PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import NULL_TEXT, Column, ColumnType, Kind
from pointq.store.faults import one_line

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

PIECE = 10_000
"""Points read at a time: some megabytes, and few round trips."""


@asynccontextmanager
async def snapshot(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """Everything that is read within is of one moment, whatever workers store meanwhile; nothing can be written."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


async def points_of(
    connection: AsyncConnection[Any], kind: Kind, flight: Flight, piece: int = PIECE
) -> AsyncIterator[PointBatch]:
    """The points of a flight in order of (time, lat, lon), by a cursor on the server, so many at a time; within a transaction.

    A column that is NULL in a whole piece is left out of it. Raises DatabaseError.
    """
    try:
        async with connection.cursor("pointq_points", binary=True) as cursor:
            cursor.itersize = piece
            await cursor.execute(_select(kind), (flight.uuid,))
            while rows := await cursor.fetchmany(piece):
                yield _batch(kind, flight, rows)
    except psycopg.Error as exc:
        raise DatabaseError(f"the points of the table {kind.table} cannot be read: {one_line(exc)}") from exc


def _select(kind: Kind) -> sql.Composed:
    return sql.SQL("SELECT {columns} FROM {table} WHERE flight_uuid = %s ORDER BY time, lat, lon").format(
        columns=sql.SQL(", ").join(map(_selected, kind.columns)), table=sql.Identifier(kind.table)
    )


def _selected(column: Column) -> sql.Composed:
    name = sql.Identifier(column.name)
    if column.type is ColumnType.TIME:
        # a number, not a datetime: exact, and an array of them is made at once
        return sql.SQL("(extract(epoch FROM {name}) * 1000000)::bigint").format(name=name)
    return sql.Composed([name])


def _batch(kind: Kind, flight: Flight, rows: list[tuple[Any, ...]]) -> PointBatch:
    columns = {}
    for column, values in zip(kind.columns, zip(*rows, strict=True), strict=True):
        if column.required or any(value is not None for value in values):
            columns[column.name] = _array(column, values)
    return PointBatch(kind, (flight,), np.zeros(len(rows), np.int32), columns)


def _array(column: Column, values: tuple[Any, ...]) -> Array:
    kind = column.type.value
    if column.type is ColumnType.FLOAT:
        return np.array(values, kind.dtype)  # None becomes NaN
    if column.type is ColumnType.TEXT:
        texts = [NULL_TEXT if value is None else value.encode() for value in values]
        return np.array(texts, f"S{max(1, *map(len, texts))}")
    return np.array([kind.null if value is None else value for value in values], kind.dtype)


async def keys_of(
    connection: AsyncConnection[Any], kind: Kind, flights: Sequence[UUID], span: tuple[int, int]
) -> list[tuple[int, float, float]]:
    """Time in microseconds, latitude and longitude of the points of those flights between two times, both included.

    Raises DatabaseError.
    """
    query = sql.SQL(
        "SELECT (extract(epoch FROM time) * 1000000)::bigint, lat, lon FROM {table} WHERE flight_uuid = ANY(%s)"
        " AND time BETWEEN %s AND %s"
    ).format(table=sql.Identifier(kind.table))
    first, last = (_EPOCH + dt.timedelta(microseconds=us) for us in span)
    try:
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(query, (list(flights), first, last))
            return await cursor.fetchall()
    except psycopg.Error as exc:
        raise DatabaseError(f"the points of the table {kind.table} cannot be read: {one_line(exc)}") from exc
