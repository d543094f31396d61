"""`db init`: what it changes, what it refuses, and that it says what it would do."""

import asyncio
from typing import LiteralString

import pytest
from psycopg import AsyncConnection, sql

from pointq.config.keeping import RetentionSettings
from pointq.errors import DatabaseError, TableError
from pointq.store import facts, plan, schema
from pointq.store.connection import connect
from pointq.store.layout import Layout

TIMESCALE = facts.Extension("2.23.0", "public", "timescale")


def said(planned: plan.Plan) -> str:
    return "\n".join(statement.as_string() for stage in planned.stages for statement in stage.statements)


def with_timescale(extension: facts.Extension = TIMESCALE) -> facts.Facts:
    return facts.Facts(None, {}, {"timescaledb": extension})


async def test_tables_without_a_version_are_of_the_first(connection: AsyncConnection) -> None:
    await connection.execute("DROP TABLE pointq_schema; DROP INDEX flights_kind_device_id_idx")
    await connection.execute("INSERT INTO flights (kind, flight_uuid) VALUES ('live', gen_random_uuid())")

    brought = await schema.init(connection)

    assert (brought.made, brought.version) == ((), plan.VERSION)
    assert brought.done == ("write down the version of the tables", "version 2: an index for the flights of a device")
    cursor = await connection.execute("SELECT version FROM pointq_schema ORDER BY version")
    assert await cursor.fetchall() == [(1,), (2,)]
    cursor = await connection.execute("SELECT count(*), to_regclass('flights_kind_device_id_idx')::text FROM flights")
    assert await cursor.fetchone() == (1, "flights_kind_device_id_idx")


async def test_several_bring_the_tables_forward_at_once(connection: AsyncConnection, database_url: str) -> None:
    await connection.execute("DROP TABLE pointq_schema; DROP INDEX flights_kind_device_id_idx")
    others = [await connect(database_url) for _ in range(3)]

    found = await asyncio.gather(*(schema.init(each) for each in others))

    assert sorted(what for each in found for what in each.done) == sorted(
        ("write down the version of the tables", "version 2: an index for the flights of a device")
    )
    for each in others:
        await each.close()


async def test_a_step_that_fails_leaves_the_version_before(
    connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ("a step that fails", lambda _: [sql.SQL("CREATE TABLE half (a int)"), sql.SQL("SELECT 1 / 0")])
    monkeypatch.setattr(plan, "MIGRATIONS", (*plan.MIGRATIONS, broken))

    with pytest.raises(DatabaseError, match="division by zero"):
        await schema.init(connection)

    cursor = await connection.execute("SELECT max(version), to_regclass('half') FROM pointq_schema")
    assert await cursor.fetchone() == (plan.VERSION, None)


async def test_what_a_stage_makes_is_looked_at_before_it_is_committed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = ("a step that spoils a table", lambda _: [sql.SQL("DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx")])
    monkeypatch.setattr(plan, "MIGRATIONS", (spoilt, *plan.MIGRATIONS))
    async with await connect(database_url) as connection:
        with pytest.raises(DatabaseError, match="no unique index on"):
            await schema.init(connection)

        assert (await schema.look(connection)).tables == ()


async def test_tables_that_are_moved_aside_keep_the_names_of_their_indexes_and_nothing_else(
    connection: AsyncConnection,
) -> None:
    for table in Layout().names:
        moved = sql.Identifier(table), sql.Identifier(f"old_{table}")
        await connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(*moved))
    before = await indexes(connection, "old_")

    await schema.init(connection)

    assert await indexes(connection, "") == before
    assert (await schema.preview(connection, Layout())).stages == ()


async def indexes(connection: AsyncConnection, prefix: str) -> set[tuple[str, str]]:
    """By table, without their names."""
    cursor = await connection.execute(
        "SELECT w, regexp_replace(indexdef, 'INDEX \\S+ ON \\S+', '') FROM unnest(%s::text[]) AS w"
        " JOIN pg_indexes ON tablename = %s || w",
        (list(Layout().names), prefix),
    )
    return set(await cursor.fetchall())


async def test_the_hint_for_a_table_that_is_wrong_is_the_way_out(connection: AsyncConnection) -> None:
    await connection.execute("ALTER TABLE live_track_points DROP COLUMN heading")
    with pytest.raises(TableError, match="column heading is missing") as caught:
        await schema.init(connection)
    assert "ALTER TABLE live_track_points RENAME TO" in str(caught.value.hint)

    await connection.execute("ALTER TABLE live_track_points RENAME TO live_old")

    assert (await schema.init(connection)).made == ("live_track_points",)


async def test_an_index_of_flights_is_known_by_its_columns(connection: AsyncConnection) -> None:
    before = await indexes(connection, "")
    await connection.execute("ALTER INDEX flights_kind_device_id_idx RENAME TO by_device; DROP TABLE pointq_schema")

    await schema.init(connection)

    assert await indexes(connection, "") == before
    cursor = await connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'flights'")
    assert await cursor.fetchone() == (3,)


async def test_tables_of_a_newer_pointq_are_refused(connection: AsyncConnection) -> None:
    await connection.execute("INSERT INTO pointq_schema (version) VALUES (99)")

    with pytest.raises(TableError, match="version 99, which a newer pointq made") as caught:
        await schema.init(connection)
    assert caught.value.hint == "upgrade pointq on this machine"


async def test_a_table_that_is_not_what_it_should_be_is_refused_column_by_column(connection: AsyncConnection) -> None:
    await connection.execute("""
        ALTER TABLE live_track_points
            DROP COLUMN heading, ALTER COLUMN speed TYPE real, ALTER COLUMN lat DROP NOT NULL,
            ADD COLUMN owner text NOT NULL, ADD COLUMN note text, ADD COLUMN at timestamptz NOT NULL DEFAULT now();
        DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx;
        CREATE UNIQUE INDEX ON live_track_points (flight_uuid, time)
    """)

    with pytest.raises(DatabaseError) as caught:
        await schema.init(connection)

    assert caught.value.message.partition(": ")[2].split("; ") == [
        "column lat is nullable, expected NOT NULL",
        "column speed is real, expected double precision",
        "column heading is missing, expected double precision",
        "column owner is NOT NULL without a default, and pointq does not fill it",
        "no unique index on (flight_uuid, time, lat, lon), whole and at once: what is sent twice would be stored twice",
        "a unique index on (flight_uuid, time): points that are different would count as the same",
    ]
    assert (await schema.look(connection)).version == plan.VERSION


async def test_a_view_is_no_table(connection: AsyncConnection) -> None:
    await connection.execute("DROP TABLE live_track_points; CREATE VIEW live_track_points AS SELECT 1 AS lat")

    with pytest.raises(DatabaseError, match="live_track_points is not what pointq expects: it is no table"):
        await schema.init(connection)


async def test_what_would_be_done_is_what_is_done(database_url: str) -> None:
    connection = await connect(database_url)
    planned = await schema.preview(connection, Layout())
    assert (await schema.look(connection)).tables == ()

    done = await schema.init(connection)

    assert done.done == tuple(stage.what for stage in planned.stages)
    assert await schema.preview(connection, Layout()) == plan.Plan((), ())
    await connection.close()


async def test_retention_without_timescaledb_is_said_to_do_nothing(connection: AsyncConnection) -> None:
    found = await schema.init(connection, Layout(retention=RetentionSettings(live="30 days")))

    assert found.notes == ("live_track_points: nothing is dropped, since this database has no TimescaleDB",)


async def test_postgis_that_is_not_there_is_refused(connection: AsyncConnection) -> None:
    with pytest.raises(DatabaseError, match="this database has no PostGIS"):
        await schema.init(connection, Layout(postgis=True))


async def test_rollups_need_timescaledb(connection: AsyncConnection) -> None:
    with pytest.raises(DatabaseError, match="continuous aggregates of TimescaleDB"):
        await schema.init(connection, Layout(rollups=True))


def test_an_old_timescaledb_gets_hypertables_and_no_columnstore() -> None:
    planned = plan.plan(with_timescale(facts.Extension("2.18.0", "public", "timescale")), Layout())

    assert said(planned).count("create_hypertable(") == 4
    assert "columnstore" not in said(planned)
    assert all("TimescaleDB 2.18.0 can lose late points" in note and "2.18.1 is the first" in note for note in planned.notes)


def test_timescaledb_under_the_apache_license_has_no_policies() -> None:
    planned = plan.plan(with_timescale(facts.Extension("2.23.0", "public", "apache")), Layout())

    assert said(planned).count("create_hypertable(") == 4
    assert "policy" not in said(planned)
    assert len(planned.notes) == 4


def test_functions_are_called_where_the_extension_is() -> None:
    planned = plan.plan(
        with_timescale(facts.Extension("2.23.0", "elsewhere", "timescale")), Layout(retention=RetentionSettings(live="1 week"))
    )

    for function in ("create_hypertable", "by_range", "add_columnstore_policy", "add_retention_policy"):
        assert f'"elsewhere".{function}(' in said(planned)


def test_the_column_of_postgis_is_filled_by_the_database() -> None:
    found = facts.Facts(None, {}, {"postgis": facts.Extension("3.3.2", "gis")})

    statements = said(plan.plan(found, Layout(postgis=True)))

    assert statements.count('geom "gis".geometry(Point, 4326) GENERATED ALWAYS AS') == 4
    assert '"gis".ST_SetSRID("gis".ST_MakePoint(lon, lat), 4326)) STORED' in statements


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "CREATE TABLE flights (id uuid PRIMARY KEY, pilot text)",
            "the table flights is not what .*: column kind is missing",
        ),
        ("CREATE TABLE imports (x int)", "the table imports is not what .*: column content is missing"),
    ],
)
async def test_a_table_of_somebody_else_is_refused_and_left_alone(database_url: str, change: LiteralString, found: str) -> None:
    async with await connect(database_url) as connection:
        await connection.execute(change)

        with pytest.raises(DatabaseError, match=found):
            await schema.init(connection)

        cursor = await connection.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'flights_%'")
        assert await cursor.fetchone() == (1 if "flights" in change else 0,)


async def test_a_key_that_is_checked_too_late_is_refused(connection: AsyncConnection) -> None:
    await connection.execute(
        "DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx; "
        "ALTER TABLE live_track_points ADD UNIQUE (flight_uuid, time, lat, lon) DEFERRABLE"
    )

    with pytest.raises(DatabaseError, match=r"no unique index on .*; the constraint \S+ is deferrable"):
        await schema.init(connection)
