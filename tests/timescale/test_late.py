"""Late points, for chunks that are compressed already: stored, once, bit by bit, and without keeping fresh ones waiting."""

from typing import Any, LiteralString

import pytest
from psycopg import AsyncConnection, errors

from pointq.aio import Backoff
from pointq.errors import TableError
from pointq.points.batch import PointBatch, concat
from pointq.points.kinds import LIVE, UPLOAD
from pointq.store import facts, schema
from pointq.store import writer as writing
from pointq.store.connection import connect
from pointq.store.prepared import Prepared, prepare
from pointq.store.writer import Stored, Writer
from pointq.work import storing
from tests.store.batches import batch_of, check_flights, count_in
from tests.work.crew import Crew

FLIGHTS = 12
SECONDS = 1_000
"""Points of a flight, one a second: a thousand rows are what TimescaleDB compresses together."""


def flown(start: int, lat: float = 46.0, kind: Any = UPLOAD) -> PointBatch:
    """A day's flights."""
    return concat([batch_of(SECONDS, flight=f"{i}", start=start, lat=lat, kind=kind) for i in range(FLIGHTS)])


async def compressed(url: str, *batches: PointBatch) -> None:
    """The tables, with those points in them, all compressed."""
    connection = await connect(url)
    await schema.init(connection)
    await connection.close()
    writer = Writer(url)
    for batch in batches:
        await writer.write(prepare(batch))
    await writer.close()
    connection = await connect(url)
    for kind in {batch.kind.table for batch in batches}:
        await connection.execute("SELECT compress_chunk(c) FROM show_chunks(%s::regclass) AS c", (kind,))
    await connection.close()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that decompresses for every row, as some versions do, and five thousand rows at most."""
    said: tuple[LiteralString, ...] = (
        "SET timescaledb.enable_dml_decompression_tuple_filtering = off",
        "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 5000",
    )

    async def connect_narrow(url: str, **options: Any) -> AsyncConnection:
        connection = await connect(url, **options)
        for statement in said:
            await connection.execute(statement)
        return connection

    monkeypatch.setattr(writing, "connect", connect_narrow)


async def stored_once(url: str, kind: Any, points: int) -> None:
    connection = await connect(url)
    assert await count_in(connection, kind) == points
    assert sum((await check_flights(connection, kind)).values()) == points
    await connection.close()


async def test_a_replay_of_a_day_a_week_ago_is_stored_once(url: str) -> None:
    week = 7 * 86_400
    await compressed(url, flown(0))
    writer = Writer(url)

    again = await storing.store_batch(writer.write, flown(0), prepare(flown(0)), Backoff())
    between = concat([flown(0, lat=46.5), flown(week)])
    late = await storing.store_batch(writer.write, between, prepare(between), Backoff())
    await writer.close()

    points = FLIGHTS * SECONDS
    assert (again.stored, again.duplicates, again.refused) == (0, points, [])
    assert (late.stored, late.duplicates, late.refused) == (2 * points, 0, [])
    await stored_once(url, UPLOAD, 3 * points)


@pytest.mark.usefixtures("narrow")
async def test_what_is_too_much_to_decompress_is_stored_in_pieces_the_fresh_first(url: str) -> None:
    await compressed(url, flown(0))
    writer = Writer(url)
    written: list[int] = []

    async def write(prepared: Prepared) -> Stored:
        try:
            stored = await writer.write(prepared)
        except errors.ConfigurationLimitExceeded:
            refusals.append(len(prepared.batch))
            raise
        written.append(int(prepared.batch.time.max()))
        return stored

    refusals: list[int] = []
    fresh = flown(7 * 86_400)
    mixed = concat([flown(0), flown(0, lat=46.5), fresh])

    tally = await storing.store_batch(write, mixed, prepare(mixed), Backoff())
    await writer.close()

    points = FLIGHTS * SECONDS
    assert refusals, "the limit was never met: this tests nothing"
    assert len(refusals) <= 6
    assert (tally.stored, tally.duplicates, tally.refused) == (2 * points, points, [])
    first_late = next(i for i, newest in enumerate(written) if newest < fresh.time.min())
    assert all(newest < fresh.time.min() for newest in written[first_late:])
    await stored_once(url, UPLOAD, 3 * points)


@pytest.mark.usefixtures("narrow")
async def test_other_lanes_are_read_while_late_points_are_stored(url: str, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "SLICE_SECONDS", 0.0)
    await compressed(url, flown(0))
    await crew.put(flown(0, lat=46.5))
    hand = crew.worker("live", "upload", database_url=url, drain=True)
    order: list[str] = []
    real = hand.worker._writer.write

    async def write(prepared: Prepared) -> Stored:
        if prepared.batch.kind is UPLOAD and "upload" in order and "live" not in order:
            await crew.put(batch_of(10, start=10 * len(order)))
        stored = await real(prepared)
        order.append(prepared.batch.kind.name)
        return stored

    monkeypatch.setattr(hand.worker._writer, "write", write)

    await hand.drain()

    live = order.index("live")
    assert "upload" in order[:live]
    assert "upload" in order[live:]
    found = await crew.measure("upload")
    assert (found.stored_points, found.duplicate_points, found.dead_points) == (FLIGHTS * SECONDS, 0, 0)
    await stored_once(url, UPLOAD, 2 * FLIGHTS * SECONDS)


async def test_a_timescaledb_that_loses_rows_gets_none_for_compressed_tables(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await connect(url)
    await schema.init(connection)
    await connection.execute("CALL remove_columnstore_policy('uploaded_track_points')")
    await connection.execute("ALTER TABLE uploaded_track_points SET (timescaledb.enable_columnstore = false)")
    await connection.close()
    monkeypatch.setattr(facts, "SAFE", (99,))
    writer = Writer(url)

    with pytest.raises(TableError, match="can lose late points for compressed chunks of live_track_points") as caught:
        await writer.write(prepare(batch_of(5, kind=LIVE)))
    assert caught.value.hint == "ALTER EXTENSION timescaledb UPDATE"
    assert (await writer.write(prepare(batch_of(5, kind=UPLOAD)))).stored == 5
    await writer.close()


async def test_a_column_that_the_database_fills_is_compressed_and_filled_for_late_points_too(url: str) -> None:
    connection = await connect(url)
    await schema.init(connection)
    # as that of PostGIS, which this server does not have
    await connection.execute("ALTER TABLE uploaded_track_points SET (timescaledb.enable_columnstore = false)")
    await connection.execute(
        "ALTER TABLE uploaded_track_points ADD COLUMN place point GENERATED ALWAYS AS (point(lon, lat)) STORED"
    )
    await connection.close()
    await compressed(url, flown(0))
    writer = Writer(url)

    stored = await writer.write(prepare(flown(0, lat=46.5)))
    await writer.close()

    assert stored.stored == FLIGHTS * SECONDS
    connection = await connect(url)
    cursor = await connection.execute("SELECT count(*), bool_and(place ~= point(lon, lat)) FROM uploaded_track_points")
    assert await cursor.fetchone() == (2 * FLIGHTS * SECONDS, True)
    await connection.close()
