"""`pointq import` past the queue: into the database, to a server elsewhere, or nowhere."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.support.flights import fresh_igc, igc
from tests.support.guarded import free_port
from tests.support.points import flight_uuid
from tests.support.processes import Server
from tests.support.sites import Site

NOBODY = {"POINTQ_REDIS__URL": "redis://127.0.0.1:1/0"}
NOTHING = {**NOBODY, "POINTQ_DATABASE__URL": "postgresql://127.0.0.1:1/none"}


@pytest.fixture
def lonely(site: Site) -> Site:
    """The same site, seen from where Redis cannot be reached."""
    return Site(site.redis_url, site.database_url, site.prefix, site.home, NOBODY)


@pytest.fixture
def laptop(site: Site, tmp_path: Path) -> Site:
    """A computer that reaches neither Redis nor the database."""
    return Site(site.redis_url, site.database_url, site.prefix, tmp_path, NOTHING)


def test_more_flights_in_a_file_than_a_report_lists(site: Site, tmp_path: Path) -> None:
    tracks = [
        {
            "type": "Feature",
            "properties": {"id": f"pilot {i}", "coordTimes": ["2024-06-01T10:00:00Z", "2024-06-01T10:00:01Z"]},
            "geometry": {"type": "LineString", "coordinates": [[7 + i / 1000, 46], [7 + i / 1000, 46.1]]},
        }
        for i in range(130)
    ]
    (tmp_path / "task.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": tracks}))

    with site.work():
        (file,) = site.report("import", str(tmp_path / "task.geojson"), "--wait")["files"]

    assert (file["outcome"], file["new"], file["flights"], len(file["flight_ids"])) == ("stored", 260, 130, 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files: a flight, one with a bad line, and none."""
    path = tmp_path / "task"
    path.mkdir()
    (path / "a.igc").write_bytes(fresh_igc(7))
    (path / "b.igc").write_bytes(fresh_igc(5).replace(b"4530000N", b"4561000N", 1))
    (path / "c.igc").write_bytes(b"hello")
    return path


class TestDirect:
    def test_into_the_database_without_redis(self, lonely: Site, folder: Path) -> None:
        files = lonely.report("import", str(folder), "--direct", expect=5)["files"]

        assert [(file["outcome"], file["new"]) for file in files] == [("stored", 7), ("stored", 4), ("failed", None)]
        rows = lonely.rows("SELECT flight_id, points FROM flights ORDER BY points")
        assert [(row["flight_id"], row["points"]) for row in rows] == [
            (files[1]["flight_ids"][0], 4),
            (files[0]["flight_ids"][0], 7),
        ]
        assert len(lonely.points("upload")) == 11

    def test_again(self, lonely: Site, folder: Path) -> None:
        lonely.run("import", str(folder), "--direct", expect=5)

        again = lonely.report("import", str(folder), "--direct", expect=5)
        forced = lonely.report("import", str(folder), "--direct", "--force", expect=5)

        assert [file["outcome"] for file in again["files"]] == ["already imported", "already imported", "failed"]
        assert [file["outcome"] for file in forced["files"]] == ["nothing new", "nothing new", "failed"]
        assert (forced["totals"]["new"], forced["totals"]["duplicates"]) == (0, 11)
        assert len(lonely.points("upload")) == 11

    def test_a_point_that_the_database_refuses_costs_no_other(self, lonely: Site) -> None:
        with psycopg.connect(lonely.database_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE uploaded_track_points ADD CHECK (elevation < 1600)")
        data = igc("B1100004530000N00630000EA0100001500", "B1100014530000N00630000EA0100001700")

        (file,) = lonely.report("import", "-", "--direct", expect=1, stdin=data)["files"]

        assert (file["outcome"], file["new"]) == ("failed", 1)
        assert "the database refuses 1 fixes" in file["error"]
        assert [row["elevation"] for row in lonely.points("upload")] == [1500]

    def test_without_a_database(self, laptop: Site, folder: Path) -> None:
        done = laptop.run("import", str(folder), "--direct", expect=3)

        assert "database" in done.stderr


def test_a_dry_run_reaches_nothing_and_says_the_same(laptop: Site, lonely: Site, folder: Path) -> None:
    dry = laptop.report("import", str(folder), "--dry-run", expect=5)["files"]
    real = lonely.report("import", str(folder), "--direct", expect=5)["files"]

    assert [file["outcome"] for file in dry] == ["readable", "readable", "failed"]
    told = set(dry[0]) - {"outcome", "new"}
    assert [{name: file[name] for name in told} for file in dry] == [{name: file[name] for name in told} for file in real]


class TestUrl:
    def test_to_a_server_from_where_nothing_else_is_reached(
        self, laptop: Site, site: Site, server: Server, folder: Path
    ) -> None:
        local = laptop.report("import", str(folder), "--dry-run", expect=5)["files"]
        posted = laptop.report("import", str(folder), "--url", server.url, expect=5)["files"]
        site.drain()

        assert [file["outcome"] for file in posted] == ["accepted", "accepted", "failed"]
        told = set(local[0]) - {"outcome", "new"}
        assert [{name: file[name] for name in told} for file in posted] == [
            {name: file[name] for name in told} for file in local
        ]
        assert len(site.points("upload")) == 11

    def test_the_options_travel_along(self, laptop: Site, site: Site, server: Server, tmp_path: Path) -> None:
        (tmp_path / "a.igc").write_bytes(fresh_igc().replace(b"HFDTE010624\r\n", b""))
        options = ("--kind", "live", "--flight-id", "täsk 3", "--device-id", "d7", "--date", "2023-02-28")

        laptop.run("import", str(tmp_path / "a.igc"), "--url", server.url, *options)
        site.drain()

        rows = site.points("live")
        assert {row["flight_uuid"] for row in rows} == {flight_uuid("live", "täsk 3")}
        assert {row["time"].date().isoformat() for row in rows} == {"2023-02-28"}
        assert [row["device_id"] for row in site.rows("SELECT device_id FROM flights")] == ["d7"]

    def test_a_file_that_the_server_refuses_does_not_stop_the_others(
        self, laptop: Site, server: Server, tmp_path: Path
    ) -> None:
        folder = tmp_path / "flights"
        folder.mkdir()
        (folder / "a.igc").write_bytes(b"A" * 17 * 1024 * 1024)
        (folder / "b.igc").write_bytes(fresh_igc())

        large, good = laptop.report("import", str(folder), "--url", server.url, expect=5)["files"]

        assert large["outcome"] == "failed"
        assert "larger" in large["error"]
        assert good["outcome"] == "accepted"

    def test_nobody_there(self, laptop: Site, folder: Path) -> None:
        done = laptop.run("import", str(folder), "--url", f"http://127.0.0.1:{free_port()}", expect=3)

        assert "cannot be reached" in done.stderr
        assert "3 files of 3 are not imported" in done.stderr

    def test_something_else_is_there(self, laptop: Site, server: Server, folder: Path) -> None:
        done = laptop.run("import", str(folder), "--url", f"{server.url}/elsewhere", expect=3)

        assert "takes no files: 404" in done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--dry-run", "--direct"), "three different things"),
        (("--url", "http://127.0.0.1:1", "--wait"), "--wait cannot ask"),
        (("--url", "ftp://host"), "--url is the address of a pointq server"),
        (("--dry-run", "--force"), "--force changes nothing"),
        (("--split", "--flight-id", "x"), "--flight-id names one"),
        (("--map", "lat"), "name=Header"),
    ],
)
def test_what_makes_no_sense_together(laptop: Site, folder: Path, options: tuple[str, ...], reason: str) -> None:
    done = laptop.run("import", str(folder), *options, expect=2)

    assert reason in done.stderr
    assert done.stdout == ""
