"""The direct way into the database, on a real one."""

import asyncio

import numpy as np
import psycopg
import pytest

from pointq.errors import DatabaseError, TableError
from pointq.ingest.intake import Declined, parcels_of
from pointq.ingest.ways import DatabaseWay
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE
from pointq.queue.lanes import lanes_of
from tests.support.sites import Site

LANES = lanes_of([LIVE])


def batch_of(*latitudes: float) -> PointBatch:
    count = len(latitudes)
    columns = {"time": np.arange(count), "lat": np.array(latitudes, np.float64), "lon": np.full(count, 6.0)}
    return PointBatch(LIVE, (Flight.of("live", "a"),), np.zeros(count, np.int32), columns)


async def test_points_are_committed_when_it_returns(site: Site) -> None:
    way = DatabaseWay(site.database_url)
    try:
        await way.take(parcels_of(batch_of(45, 46), LANES), 0)
    finally:
        await way.close()

    with psycopg.connect(site.database_url) as connection:
        assert connection.execute("SELECT points FROM flights").fetchall() == [(2,)]
        assert connection.execute("SELECT lat FROM live_track_points ORDER BY lat").fetchall() == [(45.0,), (46.0,)]


async def test_a_rush_takes_no_more_than_two_connections(site: Site) -> None:
    """The database has its workers to serve besides: what comes at the same time waits in line."""
    way = DatabaseWay(site.database_url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("BEGIN; LOCK TABLE live_track_points IN SHARE MODE")
        takes = [asyncio.create_task(way.take(parcels_of(batch_of(45 + i), LANES), 0)) for i in range(6)]
        seen = [0]
        while seen[-1] < 2 or len(seen) < 15:
            # seldom: what waits here for the database keeps the loop from the takes
            await asyncio.sleep(0.1)
            assert [take.result() for take in takes if take.done()] == []
            seen.append(int(connection.execute(waiting).fetchall()[0][0]))
        connection.execute("COMMIT")
        await asyncio.gather(*takes)
        assert connection.execute("SELECT count(*) FROM live_track_points").fetchall() == [(6,)]
    await way.close()

    assert max(seen) == 2


async def test_poison_is_declined_and_a_missing_table_is_a_failure(site: Site) -> None:
    way = DatabaseWay(site.database_url)
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE live_track_points ADD CHECK (lat < 80)")
        with pytest.raises(Declined, match="the database refuses a point"):
            await way.take(parcels_of(batch_of(45, 85), LANES), 0)
        await way.take(parcels_of(batch_of(45), LANES), 0)
        connection.execute("ALTER TABLE live_track_points RENAME TO elsewhere")
        with pytest.raises(DatabaseError, match="does not exist"):
            await way.take(parcels_of(batch_of(46), LANES), 0)
        assert connection.execute("SELECT count(*) FROM elsewhere").fetchall() == [(1,)]
    await way.close()


async def test_a_table_without_its_key_takes_no_points(site: Site) -> None:
    way = DatabaseWay(site.database_url)
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE live_track_points RENAME TO away; CREATE TABLE live_track_points (LIKE away)")
        with pytest.raises(TableError, match="the table live_track_points cannot be used: no unique index"):
            await way.take(parcels_of(batch_of(45), LANES), 0)
        assert connection.execute("SELECT count(*) FROM live_track_points").fetchall() == [(0,)]
    await way.close()
