"""Binary arrays as psycopg reads them; the rows of COPY are read by the server in `test_writer`."""

from typing import Any

import numpy as np
from psycopg import AsyncConnection, sql

from pointq.points.kinds import NULL_TEXT, UPLOAD, Column, ColumnType
from pointq.store.encoding import array, bigint_array, uuid_array
from pointq.store.writer import _Binary, _BinaryDumper
from tests.store.batches import moment

FLOATS = [0.0, -0.0, 1.5, -1e300, 5e-324, float("inf")]
TIMES = [0, -1, 1, 946_684_800_000_000, 1_750_000_000_123_456]
TEXTS = ["", "A", "Ünï ☂", "x" * 64, "NULL", '"{},']
CASES: list[tuple[ColumnType, Any, list[Any]]] = [
    (ColumnType.FLOAT, np.array([*FLOATS, np.nan]), [*FLOATS, None]),
    (ColumnType.FLOAT, np.array(FLOATS), FLOATS),
    (ColumnType.FLOAT, np.array([np.nan, np.nan]), [None, None]),
    (ColumnType.INT, np.array([1, -1, 2**31 - 1, -(2**31) + 1, -(2**31)], "<i4"), [1, -1, 2**31 - 1, -(2**31) + 1, None]),
    (ColumnType.BOOL, np.array([0, 1, -1], "i1"), [False, True, None]),
    (ColumnType.TIME, np.array([*TIMES, -(2**63)], "<i8"), [*map(moment, TIMES), None]),
    (ColumnType.TEXT, np.array([*(t.encode() for t in TEXTS), NULL_TEXT]), [*TEXTS, None]),
    (ColumnType.TEXT, np.array([b"", b""], "S1"), ["", ""]),
    (ColumnType.TEXT, np.array([], "S1"), []),
    (ColumnType.FLOAT, np.array([]), []),
]


async def test_arrays(connection: AsyncConnection) -> None:
    for kind, values, expected in CASES:
        data = array(Column("x", kind, "", "", ""), values)

        assert await read_back(connection, data, sql.SQL(kind.value.sql)) == expected


async def test_uuids_and_big_integers(connection: AsyncConnection) -> None:
    numbers = np.array([0, -(2**63), 2**63 - 1], np.int64)
    assert await read_back(connection, bigint_array(numbers), sql.SQL("bigint")) == numbers.tolist()

    uuids = np.frombuffer(bytes(range(48)), "V16")
    found = await read_back(connection, uuid_array(uuids), sql.SQL("uuid"))
    assert b"".join(uuid.bytes for uuid in found) == bytes(range(48))


async def read_back(connection: AsyncConnection, data: bytes, element: sql.SQL) -> list[Any]:
    connection.adapters.register_dumper(_Binary, _BinaryDumper)
    cursor = await connection.execute(sql.SQL("SELECT %s::{}[]").format(element), (_Binary(data),))
    row = await cursor.fetchone()
    assert row is not None
    found: list[Any] = row[0]
    return found


def test_whole_numbers_in_a_column_of_floats_are_sent_as_floats() -> None:
    lat = UPLOAD.by_name["lat"]

    assert array(lat, np.array([45, -1])) == array(lat, np.array([45.0, -1.0]))
