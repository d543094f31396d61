"""Batches to store, and what the tables must hold of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql

from pointq.points.batch import PointBatch, is_null
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, ColumnType, Kind

START_US = 1_750_000_000_000_000
"""When the first fix of a batch is taken, microseconds since 1970."""

Row = tuple[Any, ...]


def batch_of(
    count: int, *, flight: str = "a", start: int = 0, kind: Kind = LIVE, lat: float = 46.0, **columns: Any
) -> PointBatch:
    """Points of one flight, one a second from `start` seconds on."""
    return PointBatch(
        kind,
        (Flight.of(kind.name, flight),),
        np.zeros(count, np.int32),
        {
            "time": START_US + (np.arange(count, dtype=np.int64) + start) * 1_000_000,
            "lat": np.full(count, lat),
            "lon": np.linspace(7, 8, count),
            **columns,
        },
    )


def keys_of(flights: Sequence[str], points: Sequence[tuple[int, int, int]], kind: Kind = LIVE) -> PointBatch:
    """Points given as flight, seconds and a number from which the place follows; the altitude names the place too."""
    table = np.array(points, np.int64).reshape(-1, 3)
    return PointBatch(
        kind,
        tuple(Flight.of(kind.name, name) for name in flights),
        table[:, 0].astype(np.int32),
        {
            "time": START_US + table[:, 1] * 1_000_000,
            "lat": 46 + (table[:, 2] % 2).astype(np.float64),
            "lon": 7 + (table[:, 2] // 2).astype(np.float64),
            kind.altitude: table[:, 2].astype(np.float64),
        },
    )


def moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def rows_of(batch: PointBatch) -> list[Row]:
    """The rows that the table must hold, in the order of its columns."""
    columns = [[batch.flights[i].uuid for i in batch.flight.tolist()]]
    for column in batch.kind.columns:
        values = batch.column(column.name)
        null = is_null(column, values).tolist()
        decode = _DECODE.get(column.type, _same)
        columns.append([None if unknown else decode(v) for unknown, v in zip(null, values.tolist(), strict=True)])
    return sorted(zip(*columns, strict=True), key=repr)


def _same(value: Any) -> Any:
    return value


_DECODE: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TIME: moment,
    ColumnType.BOOL: bool,
    ColumnType.TEXT: bytes.decode,
}


async def rows_in(connection: AsyncConnection[Any], kind: Kind = LIVE) -> list[Row]:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("flight_uuid", *(column.name for column in kind.columns)))
    cursor = await connection.execute(sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(kind.table)))
    return sorted(await cursor.fetchall(), key=repr)


async def count_in(connection: AsyncConnection[Any], kind: Kind = LIVE) -> int:
    cursor = await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(kind.table)))
    (count,) = await cursor.fetchone() or (0,)
    return int(count)


_FLIGHTS = """
    SELECT flight_uuid, points, first_fix, last_fix, last_lat, last_lon, last_elevation, min_lat, min_lon, max_lat, max_lon
    FROM flights WHERE kind = %s AND points > 0 ORDER BY flight_uuid
"""
_AGGREGATES = """
    SELECT flight_uuid, count(*), min(time), max(time),
        (array_agg(lat ORDER BY time DESC, lat DESC, lon DESC))[1],
        (array_agg(lon ORDER BY time DESC, lat DESC, lon DESC))[1],
        (array_agg({altitude} ORDER BY time DESC, lat DESC, lon DESC))[1],
        min(lat), min(lon), max(lat), max(lon)
    FROM {table} GROUP BY flight_uuid ORDER BY flight_uuid
"""


async def check_flights(connection: AsyncConnection[Any], kind: Kind = LIVE) -> dict[UUID, int]:
    """Fail where `flights` is not exactly what the table of points says; return the points of each flight."""
    kept = await (await connection.execute(_FLIGHTS, (kind.name,))).fetchall()
    query = sql.SQL(_AGGREGATES).format(table=sql.Identifier(kind.table), altitude=sql.Identifier(kind.altitude))
    assert kept == await (await connection.execute(query)).fetchall()
    return {row[0]: row[1] for row in kept}
