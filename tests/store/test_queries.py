"""The documented queries: right, and by the index where it leads with the flight."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psycopg import AsyncConnection

from pointq.points.batch import concat
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, UPLOAD, Kind
from pointq.store.prepared import prepare
from pointq.store.writer import Writer
from tests.store.batches import START_US, batch_of
from tests.support import queries

DOCUMENT = Path(__file__).parents[2] / "docs" / "database.md"
FLIGHTS, POINTS = 100, 200
START = datetime.fromtimestamp(START_US / 1e6, UTC)


def flight(name: str) -> dict[str, Any]:
    return {"flight": Flight.of("live", name).uuid}


async def fly(connection: AsyncConnection, writer: Writer, kind: Kind, points: int) -> None:
    own: dict[str, Any] = {kind.altitude: 1_000 + 1.5 * np.arange(points)}
    tracks = [batch_of(points, flight=f"{i}", lat=46 + i / 100, kind=kind, **own) for i in range(FLIGHTS)]
    await writer.write(prepare(concat(tracks)))
    await connection.execute(f"ANALYZE {kind.table}".encode())


@pytest.mark.parametrize("name", queries.names())
def test_the_document_shows_each_as_it_is(name: str) -> None:
    assert f"```sql\n{queries.source(name).strip()}\n```" in DOCUMENT.read_text("utf8")


@pytest.mark.parametrize("name", ["track", "climb"])
async def test_what_asks_for_a_flight_goes_by_the_index(connection: AsyncConnection, writer: Writer, name: str) -> None:
    await fly(connection, writer, LIVE, POINTS)

    nodes = await queries.plan(connection, name, **flight("7"))

    scans = [node for node in nodes if str(node.get("Index Name", "")).startswith("live_track_points")]
    assert len(scans) == 1
    assert "flight_uuid" in scans[0]["Index Cond"]
    assert '"time"' in scans[0]["Index Cond"]
    assert scans[0]["Actual Rows"] == POINTS
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "live_track_points"]


async def test_a_track_and_its_climb(connection: AsyncConnection, writer: Writer) -> None:
    await fly(connection, writer, LIVE, POINTS)

    track = await queries.rows(connection, "track", **flight("7"))
    climb = await queries.rows(connection, "climb", **flight("7"))

    assert [row[0] for row in track] == [START + timedelta(seconds=i) for i in range(POINTS)]
    assert {row[1] for row in track} == {46.07}
    assert [row[3] for row in track] == [1_000 + 1.5 * i for i in range(POINTS)]
    minutes = sorted({row[0].replace(second=0) for row in track})
    assert [row[0] for row in climb] == minutes
    assert [row[2] for row in climb] == [None] + [pytest.approx(1.5)] * (len(minutes) - 1)
    assert climb[-1][1] == track[-1][3]


async def test_where_every_pilot_was_last(connection: AsyncConnection) -> None:
    await connection.execute("""
        INSERT INTO flights (kind, flight_uuid, flight_id, device_id, points, last_fix, last_lat)
        SELECT kind, gen_random_uuid(), flight, device, 1, now() - ago, lat FROM (VALUES
            ('live', 'before', 'd', interval '2 hours', 1), ('live', 'now', 'd', interval '1 minute', 2),
            ('live', 'alone', NULL, interval '1 hour', 3), ('live', 'old', 'e', interval '13 hours', 4),
            ('upload', 'file', 'f', interval '1 minute', 5)
        ) AS t (kind, flight, device, ago, lat)
    """)

    found = await queries.rows(connection, "last_fixes")

    assert [(row[0], row[3]) for row in found] == [("alone", 3), ("d", 2)]
    nodes = await queries.plan(connection, "last_fixes")
    assert {node["Relation Name"] for node in nodes if "Relation Name" in node} == {"flights"}


async def test_points_of_each_minute_and_kind(connection: AsyncConnection, writer: Writer) -> None:
    await fly(connection, writer, LIVE, 90)
    await fly(connection, writer, UPLOAD, 10)

    found = await queries.rows(connection, "points_per_minute", since=START, until=START + timedelta(seconds=50))

    assert sum(row[2] for row in found if row[0] == "live") == 50 * FLIGHTS
    assert sum(row[2] for row in found if row[0] == "upload") == 10 * FLIGHTS
    assert {row[1].second for row in found} == {0}
