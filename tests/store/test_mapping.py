"""A user's own tables: what they need, and every point once in whatever they have."""

import json
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import numpy as np
import pytest
from psycopg import AsyncConnection, AsyncCursor

from pointq.config.keeping import TableSettings, TablesSettings
from pointq.errors import ConfigError, DatabaseError
from pointq.points.batch import concat
from pointq.points.kinds import KINDS
from pointq.store.connection import connect
from pointq.store.flights import stored_points
from pointq.store.inspection import inspect
from pointq.store.mapping import PLAIN, Tables, tables_of
from pointq.store.prepared import prepare
from pointq.store.writer import Stored, Writer
from tests.store.batches import batch_of

GOOD: LiteralString = """
    CREATE SCHEMA gps; CREATE TYPE gps.origin AS ENUM ('phone', 'pointq');
    CREATE TABLE gps.points (
        flight text NOT NULL, at timestamptz NOT NULL, y float8 NOT NULL, x float8 NOT NULL, h float8,
        origin gps.origin, number smallint NOT NULL, UNIQUE (number, flight, at, y, x)
    )
"""
LIVE = TableSettings(
    table="gps.points",
    columns={"flight_id": "flight", "time": "at", "lat": "y", "lon": "x", "elevation": "h"},
    values={"origin": "pointq", "number": 7},
)
ALONE = TablesSettings(live=LIVE, flights=False)


@pytest.fixture
async def bare(database_url: str) -> AsyncIterator[AsyncConnection]:
    connection = await connect(database_url)
    yield connection
    await connection.close()


async def fetch(connection: AsyncConnection, query: LiteralString) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query)).fetchall()


def test_nothing_mapped_is_the_plain_case() -> None:
    tables = tables_of(TablesSettings())

    assert tables == PLAIN
    assert tables.own == PLAIN.all
    assert set(TablesSettings.model_fields) == {*KINDS, "flights"}


@pytest.mark.parametrize("settings", [TablesSettings(), ALONE, TablesSettings(flights=TableSettings(table="a.b"))])
def test_another_process_is_told_all(settings: TablesSettings) -> None:
    tables = tables_of(settings)
    told = json.loads(json.dumps(tables.to_json()))

    def facts(tables: Tables) -> list[Any]:
        return [(t.schema, t.name, t.columns, t.values, t.mapped, getattr(t, "kind", None)) for t in tables.all]

    assert facts(Tables.of_json(told)) == facts(tables)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TablesSettings(live=LIVE), "has no column for flight_uuid, by which flights are kept"),
        (TablesSettings(live=TableSettings(columns={"flight_uuid": "a", "lat": "b", "lon": "c"})), "no column for time"),
        (TablesSettings(live=TableSettings(columns={"time": "a", "lat": "b", "lon": "c"}), flights=False), "point's flight"),
        (TablesSettings(live=TableSettings(values={"lat": 1})), "names the column lat twice"),
        (TablesSettings(flights=TableSettings(columns={"flight_uuid": "id"})), "no column for last_fix"),
    ],
)
def test_what_cannot_be_meant(settings: TablesSettings, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tables_of(settings)


@pytest.mark.parametrize("count", [20, 700])
@pytest.mark.parametrize("types", ["", "ALTER TABLE gps.points ALTER at TYPE timestamp, ALTER y TYPE numeric"])
async def test_without_flights(database_url: str, bare: AsyncConnection, count: int, types: LiteralString) -> None:
    await bare.execute(GOOD + "; " + types)
    now = 0.0
    tables = tables_of(ALONE)
    writer = Writer(database_url, tables, clock=lambda: now)

    results = []
    for start in (0, 0, count // 2, 2 * count):
        results.append(await writer.write(prepare(batch_of(count, start=start, elevation=np.full(count, 1.5)))))
        now += 6
    await writer.close()

    # where a second is in two batches its longitude differs: nothing but the second batch was there before
    assert results == [Stored(count, 0), Stored(0, count), Stored(count, 0), Stored(count, 0)]
    assert await fetch(bare, "SELECT count(*) FROM gps.points") == [(3 * count,)]
    row = (await fetch(bare, "SELECT DISTINCT flight, h, origin::text, number FROM gps.points"))[0]
    assert row == ("a", 1.5, "pointq", 7)
    flights = batch_of(1).flights
    stored = await stored_points(bare, "live", flights, tables)
    assert stored == {flights[0].uuid: 3 * count}


async def test_flights_of_the_users_own(database_url: str, bare: AsyncConnection) -> None:
    await bare.execute(
        "CREATE TABLE flown (id uuid PRIMARY KEY, name text, n int NOT NULL DEFAULT 0, until timestamptz, "
        "origin text NOT NULL); "
        "CREATE TABLE fixes (flight_uuid uuid REFERENCES flown (id) NOT NULL, time timestamptz NOT NULL, lat float8 NOT NULL, "
        "lon float8 NOT NULL, UNIQUE (flight_uuid, time, lat, lon))"
    )
    live = TableSettings(table="fixes", columns={name: name for name in ("flight_uuid", "time", "lat", "lon")})
    flown = TableSettings(
        table="flown",
        columns={"flight_uuid": "id", "flight_id": "name", "points": "n", "last_fix": "until"},
        values={"origin": "pointq"},
    )
    tables = tables_of(TablesSettings(live=live, flights=flown))
    assert await inspect(bare, tables) == ()
    writer = Writer(database_url, tables)

    for batch in (batch_of(700), batch_of(700), concat([batch_of(5, flight="b"), batch_of(600, start=1000)])):
        await writer.write(prepare(batch))
    await writer.close()

    flights = await fetch(bare, "SELECT name, n, origin FROM flown ORDER BY name")
    assert flights == [("a", 1300, "pointq"), ("b", 5, "pointq")]
    same = "SELECT until FROM flown WHERE name = 'a' INTERSECT SELECT max(time) FROM fixes"
    assert len(await fetch(bare, same)) == 1
    flight = batch_of(1).flights
    assert await stored_points(bare, "live", flight, tables) == {flight[0].uuid: 1300}


@pytest.mark.parametrize(
    ("change", "column", "severity", "problem"),
    [
        ("DROP TABLE gps.points", None, "error", "there is no such table"),
        ("ALTER TABLE gps.points DROP COLUMN h", "h", "error", "no such column, for elevation"),
        ("ALTER TABLE gps.points ALTER h TYPE bytea USING NULL", "h", "error", "elevation is float8, the column is bytea"),
        ("ALTER TABLE gps.points ALTER h TYPE real", "h", "warning", "holds not all of its values"),
        ("ALTER TABLE gps.points ALTER h SET NOT NULL", "h", "warning", "points without elevation become dead letters"),
        ("ALTER TABLE gps.points ADD more text NOT NULL", "more", "error", "NOT NULL without a default"),
        ("ALTER TABLE gps.points ALTER flight DROP NOT NULL", "flight", "error", "stored again"),
        ("DROP INDEX gps.points_number_flight_at_y_x_key", None, "error", "no unique index has these columns"),
        ("CREATE UNIQUE INDEX ON gps.points (flight, at, y)", "x", "warning", "only the first is stored"),
        ("ALTER TABLE gps.points ADD UNIQUE (h) DEFERRABLE", None, "error", "deferrable"),
    ],
)
async def test_what_is_found(
    database_url: str, bare: AsyncConnection, change: LiteralString, column: str | None, severity: str, problem: str
) -> None:
    await bare.execute(GOOD)
    assert await inspect(bare, tables_of(ALONE)) == ()
    if change.startswith("DROP INDEX"):
        change = "ALTER TABLE gps.points DROP CONSTRAINT points_number_flight_at_y_x_key"

    await bare.execute(change)

    (finding,) = await inspect(bare, tables_of(ALONE))
    assert (finding.column, finding.severity) == (column, severity)
    assert problem in finding.problem
    writer = Writer(database_url, tables_of(ALONE))
    if severity == "error":
        with pytest.raises(DatabaseError, match="cannot be used"):
            await writer.write(prepare(batch_of(1)))
    else:
        assert (await writer.write(prepare(batch_of(1, elevation=np.ones(1))))).stored == 1
    await writer.close()


@pytest.mark.parametrize(
    ("points", "last_fix", "problem"),
    [
        ("bigint NOT NULL", "timestamptz", "so points needs a default"),
        ("bigint", "timestamptz", "so points needs a default"),
        ("bigint NOT NULL DEFAULT 0", "timestamptz NOT NULL", "so last_fix needs a default, or NULL"),
    ],
)
async def test_flights_are_entered_before_their_points(
    bare: AsyncConnection, points: LiteralString, last_fix: LiteralString, problem: str
) -> None:
    await bare.execute(f"CREATE TABLE flown (id uuid PRIMARY KEY, n {points}, until {last_fix})")
    flown = TableSettings(table="flown", columns={"flight_uuid": "id", "points": "n", "last_fix": "until"})

    (finding,) = [each for each in await inspect(bare, tables_of(TablesSettings(flights=flown))) if each.table == "flown"]

    assert finding.severity == "error"
    assert problem in finding.problem
    await bare.execute((finding.mend or "").encode())
    assert finding.column in {"n", "until"}
    left = [each for each in await inspect(bare, tables_of(TablesSettings(flights=flown))) if each.table == "flown"]
    assert left == []


async def test_nulls_that_are_not_distinct_may_be_in_the_key(bare: AsyncConnection) -> None:
    await bare.execute(
        GOOD + "; ALTER TABLE gps.points ALTER flight DROP NOT NULL, "
        "ADD UNIQUE NULLS NOT DISTINCT (flight, at, y, x), DROP CONSTRAINT points_number_flight_at_y_x_key"
    )

    assert await inspect(bare, tables_of(ALONE)) == ()


async def test_a_fixed_value_that_does_not_fit(database_url: str, bare: AsyncConnection) -> None:
    await bare.execute(GOOD)
    wrong = TablesSettings(live=LIVE.model_copy(update={"values": {"origin": "nobody", "number": 7}}), flights=False)
    writer = Writer(database_url, tables_of(wrong))

    with pytest.raises(DatabaseError, match=r"a fixed value does not fit into gps\.points"):
        await writer.write(prepare(batch_of(1)))
    await writer.close()


async def test_copy_is_not_tried_for_a_while_after_duplicates(
    database_url: str, bare: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bare.execute(GOOD)
    copies = 0
    real = AsyncCursor.copy

    def copy(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal copies
        copies += 1
        return real(self, *args, **options)

    monkeypatch.setattr(AsyncCursor, "copy", copy)
    now = 0.0
    writer = Writer(database_url, tables_of(ALONE), clock=lambda: now)

    for at, start, expected in ((0.0, 0, 1), (1.0, 0, 2), (5.0, 1000, 2), (12.0, 2000, 3)):
        now = at
        await writer.write(prepare(batch_of(700, start=start)))
        assert copies == expected, at
    await writer.close()
