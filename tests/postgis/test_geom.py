"""The column of PostGIS, which the database fills."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection

from pointq.points.kinds import KINDS
from pointq.store import schema
from pointq.store.connection import connect
from pointq.store.layout import Layout
from pointq.store.prepared import prepare
from pointq.store.writer import Stored, Writer
from tests.store.batches import batch_of

LAYOUT = Layout(postgis=True)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_points_have_their_place_and_the_writer_knows_nothing_of_it(url: str) -> None:
    async with connected(url) as connection:
        await schema.init(connection, LAYOUT)
        assert (await schema.init(connection, LAYOUT)).done == ()
    writer = Writer(url)
    batch = batch_of(600)
    assert await writer.write(prepare(batch)) == Stored(600, 0)
    assert await writer.write(prepare(batch)) == Stored(0, 600)
    await writer.close()

    async with connected(url) as connection:
        cursor = await connection.execute(
            "SELECT count(*), bool_and(ST_X(geom) = lon AND ST_Y(geom) = lat), array_agg(DISTINCT ST_SRID(geom)), "
            "array_agg(DISTINCT GeometryType(geom)) FROM live_track_points"
        )
        assert await cursor.fetchone() == (600, True, [4326], ["POINT"])


async def test_an_empty_table_gets_it_and_one_with_points_stays(url: str) -> None:
    async with connected(url) as connection:
        await schema.init(connection)
        await connection.execute("INSERT INTO live_track_points VALUES (gen_random_uuid(), now(), 46, 7)")

        found = await schema.init(connection, LAYOUT)

        cursor = await connection.execute(
            "SELECT attrelid::regclass::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'geom'"
            " AND attrelid::regclass::text LIKE '%_track_points' ORDER BY 1"
        )
        without = [kind.table for kind in KINDS.values() if kind.name != "live"]
        assert await cursor.fetchall() == [(table, "geometry(Point,4326)") for table in sorted(without)]
        assert any("live_track_points: gets no column geom" in note for note in found.notes)
