"""What `pointq db status` says of hypertables."""

import pytest
from psycopg import AsyncConnection

from pointq.config.keeping import RetentionSettings, TableSettings, TablesSettings
from pointq.store import figures, schema
from pointq.store.connection import connect
from pointq.store.figures import TableFigures
from pointq.store.layout import Layout
from pointq.store.mapping import tables_of
from pointq.store.prepared import prepare
from pointq.store.writer import Writer
from tests.store.batches import batch_of

LAYOUT = Layout(retention=RetentionSettings(live="90 days"), rollups=True)


async def measured(connection: AsyncConnection, layout: Layout = LAYOUT) -> dict[str, TableFigures]:
    return {table.table: table for table in await figures.measure(connection, layout)}


async def test_chunks_compression_and_policies(connection: AsyncConnection, url: str) -> None:
    await schema.init(connection, LAYOUT)
    await connection.close()
    writer = Writer(url)
    for day in range(3):
        await writer.write(prepare(batch_of(2_000, flight=f"{day}", start=day * 86_400)))
    await writer.close()
    connection = await connect(url)
    await connection.execute("ANALYZE")
    await connection.execute("SELECT compress_chunk(c) FROM show_chunks('live_track_points') AS c ORDER BY c LIMIT 2")

    found = await measured(connection)
    live, upload = found["live_track_points"].hypertable, found["uploaded_track_points"].hypertable
    await connection.close()

    assert list(found) == list(LAYOUT.names)
    assert found["live_track_points"].rows == 6_000
    assert live is not None
    assert (live.chunk_seconds, live.chunks, live.compressed_chunks) == (86_400, 3, 2)
    assert live.compressed_share == pytest.approx(2 / 3)
    assert live.before_bytes
    assert live.after_bytes
    assert live.compression_ratio == live.before_bytes / live.after_bytes > 2
    assert {(policy.what, policy.relation, policy.after_seconds) for policy in live.policies} == {
        ("compress", "live_track_points", 7 * 86_400),
        ("drop", "live_track_points", 90 * 86_400),
        ("refresh", "live_track_points_minutes", None),
    }
    assert upload is not None
    assert (upload.chunks, upload.compressed_share, upload.compression_ratio) == (0, None, None)
    assert found["flights"].hypertable is None


async def test_a_users_own_hypertable_is_measured_too(connection: AsyncConnection) -> None:
    await connection.execute(
        "CREATE SCHEMA gps; CREATE TABLE gps.points (flight_uuid uuid NOT NULL, time timestamptz NOT NULL, "
        "lat float8 NOT NULL, lon float8 NOT NULL, UNIQUE (flight_uuid, time, lat, lon)); "
        "SELECT create_hypertable('gps.points', by_range('time', INTERVAL '2 days'))"
    )
    names = {name: name for name in ("flight_uuid", "time", "lat", "lon")}
    mapped = tables_of(TablesSettings(live=TableSettings(table="gps.points", columns=names)))

    try:
        found = (await measured(connection, Layout(tables=mapped)))["gps.points"]
    finally:
        await connection.execute("DROP SCHEMA gps CASCADE")

    assert (found.kind, found.yours) == ("live", True)
    assert found.hypertable is not None
    assert found.hypertable.chunk_seconds == 2 * 86_400


async def test_rows_a_day_are_of_the_last_week(connection: AsyncConnection) -> None:
    await schema.init(connection)
    await connection.execute(
        "INSERT INTO flights (kind, flight_uuid, points, last_fix) SELECT 'live', gen_random_uuid(), 700, now() - d FROM "
        "unnest(ARRAY[interval '1 hour', interval '2 days', interval '2 days', interval '8 days']) AS d"
    )

    found = (await measured(connection))["live_track_points"]

    assert found.rows_per_day == 300
    assert found.days is not None
    assert sorted(found.days.values()) == [700, 1400]
