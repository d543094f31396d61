"""Tables on TimescaleDB, and batches into them."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import pytest
from psycopg import AsyncConnection

from pointq.config.keeping import ChunkSettings, ColumnstoreSettings, RetentionSettings
from pointq.errors import DatabaseError
from pointq.points.kinds import KINDS, LIVE, UPLOAD
from pointq.store import ddl, facts, schema
from pointq.store.connection import connect
from pointq.store.layout import Layout
from pointq.store.prepared import prepare
from pointq.store.writer import Stored, Writer
from tests.store.batches import batch_of, check_flights, count_in
from tests.store.test_schema import check_table


async def test_every_table_of_points_is_a_hypertable_with_one_index(connection: AsyncConnection) -> None:
    made = await schema.init(connection)

    assert made.timescaledb
    cursor = await connection.execute(
        "SELECT hypertable_name, extract(epoch FROM time_interval)::int / 86400 FROM timescaledb_information.dimensions"
    )
    days = {kind.table: 1 if kind.name == "live" else 7 for kind in KINDS.values()}
    assert dict(await cursor.fetchall()) == days
    for kind in KINDS.values():
        await check_table(connection, kind)


async def test_a_batch_sent_twice_is_stored_once(url: str) -> None:
    connection = await connect(url)
    await schema.init(connection)
    await connection.close()
    writer = Writer(url)

    lon = np.full(800, 7.0)
    first = await writer.write(prepare(batch_of(800, lon=lon)))
    second = await writer.write(prepare(batch_of(800, start=400, lon=lon)))
    await writer.close()

    assert (first, second) == (Stored(800, 0), Stored(400, 400))
    connection = await connect(url)
    assert await count_in(connection) == 1200
    assert list((await check_flights(connection)).values()) == [1200]
    await connection.close()


async def jobs(connection: AsyncConnection) -> dict[tuple[str, str], Any]:
    cursor = await connection.execute(
        "SELECT hypertable_name, proc_name, coalesce(config ->> 'compress_after', config ->> 'drop_after') "
        "FROM timescaledb_information.jobs WHERE hypertable_name LIKE '%_track_points'"
    )
    return {(table, procedure): after for table, procedure, after in await cursor.fetchall()}


async def test_policies_are_what_the_settings_say(connection: AsyncConnection) -> None:
    await schema.init(connection)
    days = {kind.table: "7 days" if kind.name == "live" else "30 days" for kind in KINDS.values()}
    assert await jobs(connection) == {(table, "policy_compression"): after for table, after in days.items()}

    layout = Layout(
        ChunkSettings(upload="2 days"),
        ColumnstoreSettings(live="3 days", scoring="off"),
        RetentionSettings(live="90 minutes", flymaster="off"),
    )
    changed = await schema.init(connection, layout)

    assert len(changed.done) == 3
    found = await jobs(connection)
    assert found["live_track_points", "policy_compression"] == "3 days"
    assert found["live_track_points", "policy_retention"] in {"90 minutes", "01:30:00"}
    assert ("scoring_track_points", "policy_compression") not in found
    assert (await facts.look(connection, Layout().names)).tables["uploaded_track_points"].hypertable == facts.Hypertable(
        timedelta(days=2), True, timedelta(days=30), None, {}
    )
    assert (await schema.init(connection, layout)).done == ()


async def test_retention_that_nobody_configured_is_left_alone_and_off_removes_it(connection: AsyncConnection) -> None:
    await schema.init(connection)
    await connection.execute("SELECT add_retention_policy('live_track_points', drop_after => INTERVAL '5 days')")

    assert (await schema.init(connection)).done == ()
    assert ("live_track_points", "policy_retention") in await jobs(connection)

    await schema.init(connection, Layout(retention=RetentionSettings(live="off")))
    assert ("live_track_points", "policy_retention") not in await jobs(connection)


async def test_an_empty_plain_table_becomes_a_hypertable_and_one_with_points_stays(connection: AsyncConnection) -> None:
    for kind in (LIVE, UPLOAD):
        await connection.execute(ddl.create_table(kind))
        await connection.execute(ddl.create_key(kind))
    await connection.execute("INSERT INTO live_track_points VALUES (gen_random_uuid(), now(), 46, 7)")

    found = await schema.init(connection)

    tables = (await facts.look(connection, Layout().names)).tables
    assert tables["uploaded_track_points"].hypertable is not None
    assert tables["live_track_points"].hypertable is None
    assert "stays a plain table" in " ".join(found.notes)
    assert await count_in(connection) == 1

    document = (Path(__file__).parents[2] / "docs" / "database.md").read_text("utf8")
    convert = re.search(r"^SELECT create_hypertable.*;$", document, re.MULTILINE)
    assert convert is not None
    await connection.execute(convert[0].encode())
    assert (await schema.init(connection)).done == ("how live_track_points is kept",)
    assert await count_in(connection) == 1
    assert ("live_track_points", "policy_compression") in await jobs(connection)


async def test_rollups_hold_each_minute_of_a_flight(connection: AsyncConnection, url: str) -> None:
    await schema.init(connection, Layout(rollups=True))
    assert (await schema.init(connection, Layout(rollups=True))).done == ()
    await connection.close()
    writer = Writer(url)
    await writer.write(prepare(batch_of(150, elevation=np.arange(150.0))))
    await writer.close()
    connection = await connect(url)

    cursor = await connection.execute(
        "SELECT sum(points)::int, min(first_altitude), max(last_altitude), max(last_altitude - first_altitude) "
        "FROM live_track_points_minutes"
    )

    assert await cursor.fetchone() == (150, 0.0, 149.0, 59.0)
    await connection.close()


async def test_a_table_with_rollups_is_moved_aside_with_them(connection: AsyncConnection) -> None:
    layout = Layout(rollups=True)
    await schema.init(connection, layout)
    await connection.execute("ALTER TABLE live_track_points RENAME TO live_old")
    with pytest.raises(DatabaseError, match='"live_track_points_minutes" already exists') as caught:
        await schema.init(connection, layout)
    assert "RENAME TO" in str(caught.value.hint)

    await connection.execute("ALTER MATERIALIZED VIEW live_track_points_minutes RENAME TO live_old_minutes")

    assert (await schema.init(connection, layout)).done == ("how live_track_points is kept",)
    assert (await schema.preview(connection, layout)).stages == ()


async def test_compressed_tables_of_a_timescaledb_that_loses_rows_are_refused(
    connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schema.init(connection)
    monkeypatch.setattr(facts, "SAFE", (99,))

    with pytest.raises(DatabaseError, match="can lose late points for compressed chunks of live_track_points") as caught:
        await schema.init(connection)
    assert caught.value.hint == "ALTER EXTENSION timescaledb UPDATE"


@pytest.mark.parametrize("whose", ["pointq's", "the user's"])
async def test_minutes_outlive_points_that_are_dropped_later(connection: AsyncConnection, whose: str) -> None:
    await schema.init(connection, Layout(rollups=True))
    await connection.execute(
        "INSERT INTO live_track_points (flight_uuid, time, lat, lon)"
        " SELECT gen_random_uuid(), now() - interval '40 days' + i * interval '1 s', 46, 7 FROM generate_series(1, 120) AS i"
    )
    await run_jobs(connection, "policy_refresh_continuous_aggregate")
    layout = Layout(rollups=True)
    if whose == "pointq's":
        layout = Layout(rollups=True, retention=RetentionSettings(live="30 days"))
    else:
        await connection.execute("SELECT add_retention_policy('live_track_points', INTERVAL '30 days')")

    await schema.init(connection, layout)
    assert (await schema.init(connection, layout)).done == ()
    for job in ("policy_retention", "policy_refresh_continuous_aggregate"):
        await run_jobs(connection, job)

    assert await value(connection, "SELECT count(*) FROM live_track_points") == 0
    assert await value(connection, "SELECT sum(points) FROM live_track_points_minutes") == 120


async def run_jobs(connection: AsyncConnection, name: str) -> None:
    """Run every policy of that name, as the server does in the background."""
    jobs = await connection.execute("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = %s", (name,))
    for (job,) in await jobs.fetchall():
        await connection.execute("CALL run_job(%s)", (job,))


async def value(connection: AsyncConnection, query: LiteralString) -> Any:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0]
