"""The documented queries on hypertables: chunks of other days are not touched, compressed or not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from psycopg import AsyncConnection

from pointq.points.batch import concat
from pointq.points.flights import Flight
from pointq.store import schema
from pointq.store.connection import connect
from pointq.store.prepared import prepare
from pointq.store.writer import Writer
from tests.store.batches import START_US, batch_of
from tests.support import queries

DAYS, FLIGHTS, POINTS = 5, 10, 300
START = datetime.fromtimestamp(START_US / 1e6, UTC)


@pytest.fixture(params=["plain", "compressed"])
async def flown(url: str, request: pytest.FixtureRequest) -> None:
    """Days of flights, a chunk each; where compressed, all but the last."""
    connection = await connect(url)
    await schema.init(connection)
    await connection.close()
    writer = Writer(url)
    for day in range(DAYS):
        tracks = [
            batch_of(POINTS, flight=f"{day}-{i}", start=day * 86_400, elevation=np.arange(float(POINTS)))
            for i in range(FLIGHTS)
        ]
        await writer.write(prepare(concat(tracks)))
    await writer.close()
    connection = await connect(url)
    if request.param == "compressed":
        await connection.execute(
            "SELECT compress_chunk(c) FROM show_chunks('live_track_points') AS c ORDER BY c LIMIT %s", (DAYS - 1,)
        )
    await connection.execute("ANALYZE")
    await connection.close()


def touched(nodes: list[queries.Node]) -> set[str]:
    """The chunks that were read."""
    return {
        node["Relation Name"]
        for node in nodes
        if str(node.get("Relation Name", "")).startswith("_hyper_") and node.get("Actual Loops")
    }


@pytest.mark.usefixtures("flown")
@pytest.mark.parametrize("name", ["track", "climb"])
async def test_a_flight_is_read_from_its_own_days_by_the_index(connection: AsyncConnection, name: str) -> None:
    uuid = Flight.of("live", "2-3").uuid

    nodes = await queries.plan(connection, name, flight=uuid)

    assert len(touched(nodes)) == 1
    conditions = [str(node.get("Index Cond", "")) for node in nodes if node.get("Actual Loops")]
    assert any("flight_uuid" in condition for condition in conditions if "kind" not in condition)
    assert len(await queries.rows(connection, "track", flight=uuid)) == POINTS


@pytest.mark.usefixtures("flown")
async def test_the_minutes_of_a_day_are_read_from_its_chunk(connection: AsyncConnection) -> None:
    day = {"since": START + timedelta(days=2, hours=-1), "until": START + timedelta(days=2, hours=1)}

    nodes = await queries.plan(connection, "points_per_minute", **day)
    found = await queries.rows(connection, "points_per_minute", **day)

    assert len(touched(nodes)) == 1
    assert sum(row[2] for row in found) == FLIGHTS * POINTS
