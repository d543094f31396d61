"""The strategy that pointq replaces, plainly and without mistakes that would slow it down.

One JSON text a point in a sorted set; a worker pops a thousand, parses them, inserts them one by one with executemany and
ON CONFLICT DO NOTHING, and commits. What it pops is lost when it dies before the commit: that is not measured here.
"""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, sql

from pointq.ops.bench.scratch import REPLACED
from pointq.points.batch import PointBatch
from pointq.queue.connection import translated

if TYPE_CHECKING:
    from pointq.ops.bench.scratch import Scratch

POPPED = 1_000
"""Points that it takes at a time."""
POINTS = 30_000
"""Enough to know its rate."""

WHAT = "the replaced strategy: JSON in a sorted set, popped, executemany ON CONFLICT DO NOTHING"

_COLUMNS = ("flight_uuid", "time", "lat", "lon", "elevation", "barometric_altitude")
_INSERT = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
    sql.Identifier(REPLACED.table),
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    sql.SQL(", ").join([sql.Placeholder()] * len(_COLUMNS)),
)

Row = tuple[object, ...]


def rows(batches: Sequence[PointBatch], points: int) -> list[Row]:
    """That many points, one row each, as `insert` takes them."""
    return list(islice(_rows(batches), points))


def _rows(batches: Sequence[PointBatch]) -> Iterator[Row]:
    for batch in batches:
        uuids = [str(batch.flights[place].uuid) for place in batch.flight.tolist()]
        times = [datetime.fromtimestamp(us / 1e6, UTC).isoformat() for us in batch.time.tolist()]
        columns = [[_or_none(value) for value in batch.column(name).tolist()] for name in _COLUMNS[2:]]
        yield from zip(uuids, times, *columns, strict=True)


async def insert(connection: AsyncConnection, points: Sequence[Row]) -> None:
    """Insert a thousand points and commit."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(_INSERT, points)


async def enqueue(scratch: "Scratch", points: Sequence[Row]) -> None:
    """Put the points into the sorted set, ordered by arrival."""
    key = scratch.key(REPLACED.table)
    texts = [json.dumps(dict(zip(_COLUMNS, row, strict=True))) for row in points]
    with translated(scratch.redis_url):
        for start in range(0, len(texts), POPPED):
            members: dict[Any, Any] = {text: start + i for i, text in enumerate(texts[start : start + POPPED])}
            await scratch.redis.zadd(key, members)


async def drain(scratch: "Scratch") -> float:
    """Store all that is in the sorted set; the seconds that it took."""
    key = scratch.key(REPLACED.table)
    started = time.perf_counter()
    with translated(scratch.redis_url):
        while popped := await _pop(scratch, key):
            points = [json.loads(text) for text, _ in popped]
            await insert(scratch.connection, [tuple(point[name] for name in _COLUMNS) for point in points])
    return time.perf_counter() - started


async def _pop(scratch: "Scratch", key: str) -> Any:  # noqa: ANN401 - Redis replies are untyped
    return await scratch.redis.zpopmin(key, POPPED)


def _or_none(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - NaN alone is not equal to itself
