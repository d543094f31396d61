"""What was accepted ends in the tables, exactly and once: every column, every kind, whatever the order and however often."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD
from tests.support.databases import keys
from tests.support.points import (
    OWN_COLUMNS,
    START,
    TABLES,
    flight_uuid,
    flymaster_row,
    flymaster_text,
    point,
    text,
    track,
)
from tests.support.processes import Server
from tests.support.sites import Row, Site
from tests.support.until import until

UPLOADED = START + timedelta(seconds=5)


def accept(server: Server, path: str, document: Any) -> Any:
    with server.client() as client:
        answer = client.post(path, document)
        assert answer.status == 202, answer
        return answer.json


def accept_device(server: Server, body: bytes) -> None:
    with server.client() as client:
        answer = client.request("POST", FLYMASTER, body)
        assert (answer.status, answer.text) == (200, "OK")


def row(kind: str, flight: uuid.UUID, time: datetime, lat: float, lon: float, **own: Any) -> Row:
    """Make the row of a point: NULL where nothing is given."""
    return {"flight_uuid": flight, "time": time, "lat": lat, "lon": lon, **dict.fromkeys(OWN_COLUMNS[kind]), **own}


class TestColumns:
    @pytest.mark.parametrize(("path", "kind"), [(LIVE, "live"), (UPLOAD, "upload")])
    def test_live_and_upload(self, site: Site, server: Server, path: str, kind: str) -> None:
        whole = {
            "elevation": 1234.5,
            "barometric_altitude": -12.25,
            "speed": 11.875,
            "heading": 359.9,
            "accuracy": 4,
            "valid": True,
        }
        sent = [
            point(lat=45.1234567, lon=6.7654321, datetime="2025-06-01T10:00:00.123456Z", **whole),
            point(lat=-33.00000012345678, lon=-179.99999999999997, datetime="2025-06-01T12:00:01+02:00", valid=False),
            point(lat=-0.0, lon=180, datetime=1_748_772_002.5, elevation=0),
            point(lat=1e-9, lon=-1e-9, datetime=1_748_772_003, elevation=None),
        ]
        accept(server, path, {"flight_id": "f", "device_id": "d", "track_points": sent})
        site.drain()
        flight = flight_uuid(kind, "f")
        assert site.points(kind) == [
            row(kind, flight, START.replace(microsecond=123456), 45.1234567, 6.7654321, **whole),
            row(kind, flight, START.replace(second=1), -33.00000012345678, -179.99999999999997, valid=False),
            row(kind, flight, START.replace(second=2, microsecond=500_000), 0.0, 180.0, elevation=0.0),
            row(kind, flight, START.replace(second=3), 1e-9, -1e-9),
        ]
        assert flights(site) == [{"kind": kind, "flight_uuid": flight, "flight_id": "f", "device_id": "d", "points": 4}]

    def test_scoring(self, site: Site, server: Server) -> None:
        flight = uuid.uuid4()
        own = {
            "gps_alt": 1500.5,
            "pressure_alt": 1480.0,
            "validity": "A",
            "lad": 123,
            "lod": 456,
            "speed": 12.5,
            "elevation": 801.25,
            "altitude_diff": -1.5,
            "altitude_diff_smooth": -1.25,
            "speed_smooth": 12.75,
            "takeoff_condition": False,
            "in_flight": True,
        }
        sent = [
            {
                "date_time": text(START),
                "lat": 45.5,
                "lon": 6.5,
                "time": "10:00:00",
                "rounded_time": "2025-06-01T10:00:01Z",
                **own,
            },
            {"date_time": "2025-06-01T10:00:01Z", "lat": 45.6, "lon": 6.6},
            {"date_time": "2025-06-01T10:00:02Z", "lat": 45.7, "lon": 6.7, "time": "zehn Uhr ä🪂", "validity": ""},
        ]
        accept(server, SCORING, {"flight_uuid": str(flight), "tracks": sent})
        site.drain()
        rounded = START + timedelta(seconds=1)
        assert site.points("scoring") == [
            row("scoring", flight, START, 45.5, 6.5, time_text="10:00:00", rounded_time=rounded, **own),
            row("scoring", flight, START.replace(second=1), 45.6, 6.6),
            row("scoring", flight, START.replace(second=2), 45.7, 6.7, time_text="zehn Uhr ä🪂", validity=""),
        ]
        assert site.value("SELECT points FROM flights WHERE kind = 'scoring' AND flight_uuid = %s", flight) == 3

    def test_flymaster(self, site: Site, server: Server) -> None:
        """Speed arrives in km/h; altitude 0 at a frozen place in the end means that the signal was lost."""
        moment = int(START.timestamp())
        rows = [
            flymaster_row(0, speed="36", heading=90),
            flymaster_row(1, speed="0", heading=0),
            *(f"{moment + i + 5},{moment + i},45.00010,6.00010,0,0,0" for i in (2, 3)),
        ]
        accept_device(server, flymaster_text("12345", rows))
        site.drain()
        flight = flight_uuid("flymaster", "12345:2025-06-01")
        expected = [
            row("flymaster", flight, START, 45.0, 6.0, elevation=1500, speed=10, heading=90),
            row("flymaster", flight, START.replace(second=1), 45.0001, 6.0001, elevation=1501, speed=0, heading=0),
            *(
                row("flymaster", flight, START.replace(second=i), 45.0001, 6.0001, elevation=None, speed=0, heading=0)
                for i in (2, 3)
            ),
        ]
        for i, stored in enumerate(expected):
            stored["uploaded_at"] = UPLOADED + timedelta(seconds=i)
        assert site.points("flymaster") == expected
        assert flights(site) == [
            {
                "kind": "flymaster",
                "flight_uuid": flight,
                "flight_id": "12345:2025-06-01",
                "device_id": "12345",
                "points": 4,
            }
        ]


class TestOnce:
    def test_points_sent_twice_in_one_request_and_in_two(self, site: Site, server: Server) -> None:
        first = track(20, elevation=1000)
        accept(server, UPLOAD, {"flight_id": "f", "track_points": first + first})
        site.drain()
        later = track(30, elevation=2000)
        accept(server, UPLOAD, {"flight_id": "f", "track_points": later})
        site.drain()
        elevations = [stored["elevation"] for stored in site.points("upload")]
        assert elevations == [1000] * 20 + [2000] * 10, "the first row of a key wins"
        assert_counted(site, accepted=70, stored=30, duplicate=40)
        assert_flights_are_exact(site)

    def test_what_makes_two_points_differ(self, site: Site, server: Server) -> None:
        """Time, latitude or longitude, in the last place; nothing else."""
        different = [
            point(),
            point(datetime="2025-06-01T10:00:00.000001Z"),
            point(lat=45.12345670000001),
            point(lon=6.765432100000001),
        ]
        same = [point(elevation=7), point(valid=True), point(datetime="2025-06-01T12:00:00.000000+02:00")]
        accept(server, UPLOAD, {"flight_id": "f", "track_points": different + same})
        accept(server, UPLOAD, {"flight_id": "g", "track_points": different[:1]})
        site.drain()
        assert len(site.points("upload")) == 5
        assert_counted(site, accepted=8, stored=5, duplicate=3)

    def test_everything_again_changes_nothing(self, site: Site, server: Server) -> None:
        scored = [{"date_time": text(START + timedelta(seconds=i)), "lat": 45.5, "lon": 6.5 + i / 1e4} for i in range(50)]

        def send_all() -> None:
            accept(server, LIVE, {"device_id": "d", "track_points": track(50)})
            accept(server, UPLOAD, {"flight_id": "f", "track_points": track(50)})
            accept(server, SCORING, {"flight_id": "f", "tracks": scored})
            accept_device(server, flymaster_text("7", (flymaster_row(i) for i in range(50))))
            site.drain()

        def tables() -> list[list[Row]]:
            return [*(site.points(kind) for kind in TABLES), whole_flights(site)]

        send_all()
        before = tables()
        assert [len(rows) for rows in before] == [50, 50, 50, 50, 4]
        send_all()
        assert tables() == before
        assert_counted(site, accepted=400, stored=200, duplicate=200)


class TestFlights:
    def test_batches_out_of_order(self, site: Site, server: Server) -> None:
        """Late points, early points, gaps that are filled: the flight's row is what its points say."""
        shuffled = track(300, elevation=500)
        random.Random(5).shuffle(shuffled)  # noqa: S311 - any order that is always the same
        chunks = [shuffled[i : i + 40] for i in range(0, 300, 40)]
        for i, chunk in enumerate(chunks):
            accept(server, LIVE, {"flight_id": "f", "track_points": chunk})
            accept(server, LIVE, {"flight_id": f"g{i % 3}", "track_points": chunk[: i + 1]})
            if i % 3 == 2:
                site.drain()
                assert_flights_are_exact(site)
        site.drain()
        assert_flights_are_exact(site)
        assert site.value("SELECT count(*) FROM live_track_points WHERE flight_uuid = %s", flight_uuid("live", "f")) == 300

    def test_a_flight_without_altitudes_in_the_south_west(self, site: Site, server: Server) -> None:
        sent = [point(lat=-33 - i / 100, lon=-70 - i / 100, datetime=1_748_772_000 - i) for i in range(5)]
        accept(server, UPLOAD, {"flight_id": "f", "track_points": sent})
        site.drain()
        assert_flights_are_exact(site)
        assert [found["last_elevation"] for found in whole_flights(site)] == [None]

    def test_the_last_elevation_is_that_of_the_last_fix(self, site: Site, server: Server) -> None:
        sent = track(3)
        sent[0]["elevation"] = 100
        sent[2]["elevation"] = 300
        for one in (sent[2], sent[0], sent[1]):
            accept(server, LIVE, {"flight_id": "f", "track_points": [one]})
            site.drain()
        assert [found["last_elevation"] for found in whole_flights(site)] == [300]

    def test_the_same_flight_id_in_two_kinds(self, site: Site, server: Server) -> None:
        for path in (LIVE, UPLOAD):
            accept(server, path, {"flight_id": "f", "track_points": track(3)})
        site.drain()
        assert [(found["kind"], found["points"]) for found in flights(site)] == [("live", 3), ("upload", 3)]

    def test_many_flights_in_one_batch(self, site: Site, server: Server) -> None:
        days = [START + timedelta(days=i) for i in range(60)]
        sent = [one for day in days for one in track(2, start=day)]
        accept(server, LIVE, {"device_id": "d", "track_points": sent})
        site.drain()
        assert [found["flight_id"] for found in flights(site)] == [f"d:{day:%Y-%m-%d}" for day in days]
        assert_flights_are_exact(site)


class TestCounting:
    def test_waiting_points_are_counted_too(self, site: Site, server: Server) -> None:
        accept(server, LIVE, {"flight_id": "f", "track_points": track(10)})
        accept(server, UPLOAD, {"flight_id": "f", "track_points": [*track(20), point(lat=91)]})
        site.run("work", "--drain", "--kind", "live")
        assert_counted(site, accepted=30, stored=10, duplicate=0, waiting=20, rejected=1)
        site.run("work", "--drain", "--priority", "2")
        assert_counted(site, accepted=30, stored=30, duplicate=0, rejected=1)

    def test_nothing_is_left_behind_and_nothing_else_is_touched(self, site: Site, server: Server) -> None:
        before = keys(site.redis_url)
        accept(server, UPLOAD, {"flight_id": "f", "track_points": track(10)})
        site.drain()
        made = keys(site.redis_url) - before
        assert made
        assert all(key.startswith(f"{site.prefix}:") for key in made), made
        assert before <= keys(site.redis_url)

    def test_a_worker_stores_within_moments(self, site: Site, server: Server) -> None:
        with site.work():
            accept(server, LIVE, {"flight_id": "f", "track_points": track(10)})
            until(lambda: len(site.points("live")) == 10, "the points are in the table")


def test_db_init_may_be_run_at_any_time(database_url: str, redis_url: str, prefix: str, site: Site) -> None:
    fresh = Site(redis_url, database_url, prefix, site.home)
    tables = {*TABLES.values(), "flights", "imports", "pointq_tokens"}
    assert set(fresh.report("db", "init")["made"]) == tables
    assert fresh.report("db", "init")["made"] == []
    with fresh.serve() as server:
        accept(server, UPLOAD, {"flight_id": "f", "track_points": track(5)})
    fresh.drain()
    fresh.run("db", "init")
    assert len(fresh.points("upload")) == 5
    for kind in TABLES:
        unique = fresh.rows(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE 'CREATE UNIQUE%%'", TABLES[kind]
        )
        assert len(unique) == 1
        assert unique[0]["indexdef"].endswith('(flight_uuid, "time", lat, lon)')
        assert len(fresh.rows("SELECT 1 FROM pg_indexes WHERE tablename = %s", TABLES[kind])) == 1


def flights(site: Site) -> list[Row]:
    return site.rows("SELECT kind, flight_uuid, flight_id, device_id, points FROM flights ORDER BY flight_id, kind")


def whole_flights(site: Site) -> list[Row]:
    """Everything about the flights but when their rows were written."""
    return site.rows("""
        SELECT kind, flight_uuid, points, first_fix, last_fix, last_lat, last_lon, last_elevation,
               min_lat, min_lon, max_lat, max_lon
        FROM flights ORDER BY kind, flight_uuid""")


def assert_flights_are_exact(site: Site) -> None:
    """The rows of `flights` say what the points of live and upload say; no two of the last fixes are of one time."""
    counted = site.rows("""
        WITH points AS (
            SELECT 'live' AS kind, flight_uuid, time, lat, lon, elevation FROM live_track_points
            UNION ALL
            SELECT 'upload', flight_uuid, time, lat, lon, elevation FROM uploaded_track_points
        )
        SELECT kind, flight_uuid, count(*) AS points, min(time) AS first_fix, max(time) AS last_fix,
               (array_agg(lat ORDER BY time DESC))[1] AS last_lat, (array_agg(lon ORDER BY time DESC))[1] AS last_lon,
               (array_agg(elevation ORDER BY time DESC))[1] AS last_elevation,
               min(lat) AS min_lat, min(lon) AS min_lon, max(lat) AS max_lat, max(lon) AS max_lon
        FROM points GROUP BY kind, flight_uuid ORDER BY kind, flight_uuid""")
    assert whole_flights(site) == counted


def assert_counted(site: Site, *, accepted: int, stored: int, duplicate: int, waiting: int = 0, rejected: int = 0) -> None:
    status = site.status()
    totals = status["totals"]
    assert totals == {
        "accepted_points": accepted,
        "stored_points": stored,
        "duplicate_points": duplicate,
        "rejected_points": rejected,
        "lost_points": 0,
        "purged_points": 0,
        "dead_points": 0,
    }
    assert sum(queue["total_pending"] for queue in status["queues"]) == waiting
    assert accepted == stored + duplicate + waiting
