"""The floors: what the database itself takes for the same rows, with everything made ready beforehand."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, adapt, pq, sql

from pointq.ops.bench.scratch import BARE, BARE_TABLE
from pointq.points.batch import PointBatch
from pointq.points.kinds import Column
from pointq.store.encoding import array, copy_blocks, uuid_array
from pointq.store.prepared import Prepared, prepare
from pointq.store.statements import copy_points, sql_type

COPY = "bare binary COPY of prebuilt bytes, one transaction a batch"
INSERT = "bare INSERT … SELECT FROM unnest of prebuilt arrays, one transaction a batch"


@dataclass(frozen=True, slots=True)
class CopyBlock:
    """The rows of one batch as COPY takes them, in the order in which the writer sends them."""

    columns: tuple[Column, ...]
    data: bytes
    points: int

    @classmethod
    def of(cls, batch: PointBatch) -> "CopyBlock":
        """The rows of that batch."""
        prepared = prepare(batch)
        return cls(prepared.columns, b"".join(copy_blocks(prepared.batch, prepared.columns)), len(prepared.batch))


@dataclass(frozen=True, slots=True)
class ArrayBlock:
    """The same rows as arrays."""

    columns: tuple[Column, ...]
    arrays: Sequence["_Raw"]

    @classmethod
    def of(cls, batch: PointBatch) -> "ArrayBlock":
        """The rows of that batch."""
        prepared = prepare(batch)
        return cls(prepared.columns, tuple(_arrays(prepared)))


async def copy(connection: AsyncConnection, blocks: Sequence[CopyBlock]) -> float:
    """Copy the blocks into the bare table; the points a second."""
    async with connection.cursor() as cursor:
        started = time.perf_counter()
        for block in blocks:
            # without BEGIN and COMMIT: a statement alone is a transaction too, and two round trips cheaper
            async with cursor.copy(copy_points(BARE_TABLE, block.columns)) as into:
                await into.write(block.data)
        seconds = time.perf_counter() - started
    return sum(block.points for block in blocks) / seconds


async def insert(connection: AsyncConnection, blocks: Sequence[ArrayBlock]) -> float:
    """Insert the blocks into the bare table; the seconds that it took."""
    connection.adapters.register_dumper(_Raw, _RawDumper)
    async with connection.cursor() as cursor:
        started = time.perf_counter()
        for block in blocks:
            await cursor.execute(_insert(block.columns), block.arrays, prepare=True)
        return time.perf_counter() - started


def _insert(columns: Sequence[Column]) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("flight_uuid", *(column.name for column in columns)))
    arrays = [sql.SQL("%s::uuid[]"), *(sql.SQL("%s::{}[]").format(sql_type(column)) for column in columns)]
    return sql.SQL("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING").format(
        table=sql.Identifier(BARE.table), names=names, arrays=sql.SQL(", ").join(arrays)
    )


def _arrays(prepared: Prepared) -> Sequence["_Raw"]:
    batch = prepared.batch
    values = [uuid_array(prepared.uuids[batch.flight])]
    values += [array(column, batch.columns[column.name]) for column in prepared.columns]
    return [_Raw(value) for value in values]


@dataclass(frozen=True, slots=True)
class _Raw:
    """A parameter in PostgreSQL's binary format."""

    data: bytes


class _RawDumper(adapt.Dumper):
    format = pq.Format.BINARY
    oid = 0

    def dump(self, obj: Any) -> bytes:  # noqa: ANN401 - the signature of psycopg's protocol
        data: bytes = obj.data
        return data
