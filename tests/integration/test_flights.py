"""``pointq flights``: what was stored, and out again, on a real database."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from pointq.formats.batches import to_batch
from pointq.formats.detect import Hints, parse
from pointq.points.kinds import KINDS
from tests.support.api import LIVE, SCORING, UPLOAD
from tests.support.points import SCORED, START, flight_uuid, flymaster_row, flymaster_text, text, track
from tests.support.processes import Server
from tests.support.schemas import check_against
from tests.support.sites import Site

NOW_US = time.time_ns() // 1000
FORMATS = ("gpx", "igc", "geojson", "csv")


@pytest.fixture
def stored(site: Site, server: Server) -> Site:
    """A flight of each kind, and one id that two kinds share."""
    points = track(25, elevation=1850.5, barometric_altitude=1843.25, speed=11.25, heading=270, accuracy=4, valid=True)
    del points[3]["elevation"]
    with server.client() as client:
        for path in (LIVE, UPLOAD):
            body = {"flight_id": "both", "device_id": "phone-1", "track_points": points}
            assert client.post(path, body).status == 202
        scored = [{**SCORED, "lat": 45.5 + i / 1e4, "date_time": START.timestamp() + i, "validity": "A"} for i in range(5)]
        assert client.post(SCORING, {"flight_id": "scored", "tracks": scored}).status == 202
        rows = flymaster_text("12345", [flymaster_row(i) for i in range(7)])
        assert client.request("POST", KINDS["flymaster"].endpoint, rows).text == "OK"
    site.drain()
    return site


def test_flights_are_listed_with_where_and_when(stored: Site) -> None:
    found = stored.report("flights")

    check_against("flights", found)
    assert found["total"] == 4
    by_kind = {flight["kind"]: flight for flight in found["flights"]}
    assert {kind: flight["points"] for kind, flight in by_kind.items()} == {
        "live": 25,
        "upload": 25,
        "scoring": 5,
        "flymaster": 7,
    }
    live = by_kind["live"]
    assert live["flight_uuid"] == str(flight_uuid("live", "both"))
    assert (live["flight_id"], live["device_id"]) == ("both", "phone-1")
    assert (live["first_fix"], live["last_fix"]) == (text(START), "2025-06-01T10:00:24Z")
    assert live["duration_seconds"] == 24
    assert live["age_seconds"] == pytest.approx(datetime.now(UTC).timestamp() - START.timestamp() - 24, abs=60)
    assert live["last_position"] == {"lat": 45.0024, "lon": 6.0024, "elevation": 1850.5}
    assert live["bounding_box"] == [6.0, 45.0, 6.0024, 45.0024]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (("--kind", "scoring"), ["scoring"]),
        (("--device", "phone-1"), ["live", "upload"]),
        (("--device", "nobody"), []),
        (("--since", "2025-06-01T10:00:20Z"), ["live", "upload"]),
        (("--since", "1h"), []),
    ],
)
def test_flights_are_chosen(stored: Site, options: tuple[str, ...], kinds: list[str]) -> None:
    found = stored.report("flights", *options)

    assert [flight["kind"] for flight in found["flights"]] == kinds
    assert found["total"] == len(kinds)


def test_the_table_is_limited_and_says_so(stored: Site) -> None:
    shown = stored.run("flights", "--limit", "2").stdout

    assert "both" in shown
    assert "2 of 4 flights" in shown
    assert "no flight is stored that fits" in stored.run("flights", "--since", "1min").stdout
    stored.run("flights", "--since", "yesterday", expect=2)
    stored.run("flights", "--kind", "dead", expect=2)


@pytest.mark.parametrize("name", FORMATS)
def test_a_flight_comes_out_as_it_was_stored(stored: Site, name: str) -> None:
    file = stored.home / f"out.{name}"
    done = stored.run("flights", "export", "both", "--kind", "live", "-o", str(file))

    assert "25 points of kind live" in done.stderr
    batch = to_batch(parse(file.read_bytes(), Hints(NOW_US)), KINDS["live"])
    rows = stored.points("live", rest="ORDER BY time, lat, lon")
    assert batch.time.tolist() == [round(row["time"].timestamp() * 1e6) for row in rows]
    for column in ("lat", "lon"):
        assert batch.columns[column].tolist() == [row[column] for row in rows]
    if name != "igc":
        elevation = np.array([row["elevation"] for row in rows], np.float64)
        np.testing.assert_array_equal(batch.columns["elevation"], elevation)
        assert batch.columns["speed"].tolist() == [row["speed"] for row in rows]
    assert list(stored.home.glob(".*.part")) == []


def test_an_exported_file_imports_as_the_same_fixes(stored: Site) -> None:
    file = stored.home / "out.csv"
    stored.run("flights", "export", str(flight_uuid("live", "both")), "-o", str(file))
    stored.run("import", "--kind", "live", "--flight-id", "both", "--device-id", "phone-1", str(file))
    stored.drain()

    assert stored.report("flights", "--kind", "live")["flights"][0]["points"] == 25


@pytest.mark.parametrize("kind", ["scoring", "flymaster"])
def test_every_kind_comes_out_in_every_format(stored: Site, kind: str) -> None:
    [flight] = stored.report("flights", "--kind", kind)["flights"]
    for name in FORMATS:
        out = stored.run("flights", "export", flight["flight_id"], "--format", name).stdout.encode()
        assert len(parse(out, Hints(NOW_US))) == flight["points"]


def test_an_id_that_means_two_flights_names_both(stored: Site) -> None:
    done = stored.run("flights", "export", "both", "--format", "csv", expect=2)

    assert done.stdout == ""
    assert "means 2 flights: live" in done.stderr
    assert str(flight_uuid("upload", "both")) in done.stderr
    assert "--kind" in done.stderr


def test_what_cannot_be_exported_leaves_no_file(stored: Site) -> None:
    file = stored.home / "out.gpx"
    done = stored.run("flights", "export", "nobody", "-o", str(file), expect=1)

    assert "no flight is stored with the id or UUID 'nobody'" in done.stderr
    assert not file.exists()
    assert "csv" in stored.run("flights", "export", "both", expect=2).stderr
    assert "found 'kml'" in stored.run("flights", "export", "both", "-o", "x.kml", expect=2).stderr
    assert "cannot be written" in stored.run("flights", "export", "scored", "-o", "/nowhere/x.csv", expect=1).stderr
    with_points_gone(stored)
    assert "has no points" in stored.run("flights", "export", "scored", "--format", "csv", expect=1).stderr


def with_points_gone(site: Site) -> None:
    site.rows("WITH gone AS (DELETE FROM scoring_track_points RETURNING 1) SELECT count(*) FROM gone")


def test_a_long_flight_is_read_piece_by_piece(site: Site, server: Server) -> None:
    with server.client() as client:
        for start in range(0, 30_000, 10_000):
            points = [
                {"lat": 45 + i / 1e6, "lon": 6.5, "datetime": START.timestamp() + i} for i in range(start, start + 10_000)
            ]
            assert client.post(UPLOAD, {"flight_id": "long", "track_points": points}).status == 202
    site.drain()
    document: Any = json.loads(site.run("flights", "export", "long", "--format", "geojson").stdout)

    [feature] = document["features"]
    times = feature["properties"]["coordinateProperties"]["times"]
    assert len(feature["geometry"]["coordinates"]) == len(times) == len(set(times)) == 30_000
    assert times == sorted(times)


def test_a_reader_that_goes_away_ends_it_quietly(stored: Site) -> None:
    command = f"{sys.executable} -m pointq flights export both --kind live --format csv | head -n 1"
    done = subprocess.run(
        ("/bin/sh", "-c", command), env=stored.environ, cwd=stored.home, capture_output=True, timeout=60, check=False
    )

    assert done.stdout.decode().startswith("time,lat,lon")
    assert b"Traceback" not in done.stderr
