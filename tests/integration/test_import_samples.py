"""`pointq import`: real files through the queue into the tables, from wherever they lie."""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pointq.embedded import Backends
from pointq.formats.detect import SUFFIXES
from tests.support.databases import database, key_prefix
from tests.support.flights import fresh_igc, igc
from tests.support.points import flight_uuid, flymaster_row, flymaster_text
from tests.support.sites import Row, Site

DONE_WITH_REJECTS = 5


@pytest.fixture(scope="module")
def staffed(backends: Backends, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A pointq with a worker, for all tests here."""
    with database(backends.database_url, template=template) as url, key_prefix(backends.redis_url) as prefix:
        site = Site(backends.redis_url, url, prefix, tmp_path_factory.mktemp("import"))
        with site.work():
            yield site


def stored(site: Site, flight_id: str, kind: str = "upload") -> list[Row]:
    flight = flight_uuid(kind, flight_id)
    return [row for row in site.points(kind) if row["flight_uuid"] == flight]


@dataclass(frozen=True)
class Imports:
    """The real files, imported into one pointq, once more, and once more with `--force`."""

    site: Site
    first: Any
    again: Any
    forced: Any

    def read(self) -> list[Any]:
        """Return the reports of the files that are flights."""
        return [file for file in self.first["files"] if file["flight_ids"]]


@pytest.fixture(scope="module")
def imports(samples: Path, backends: Backends, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imports]:
    with database(backends.database_url, template=template) as url, key_prefix(backends.redis_url) as prefix:
        site = Site(backends.redis_url, url, prefix, tmp_path_factory.mktemp("samples"))
        with site.work():
            arguments = ("import", str(samples / "igc"), "--wait")
            first = site.report(*arguments, expect=DONE_WITH_REJECTS)
            again = site.report(*arguments, expect=DONE_WITH_REJECTS)
            forced = site.report(*arguments, "--force", expect=DONE_WITH_REJECTS)
            yield Imports(site, first, again, forced)


class TestSamples:
    def test_every_file_is_in_the_report(self, imports: Imports, samples: Path) -> None:
        names = [Path(file["file"]).name for file in imports.first["files"]]
        assert names == sorted(path.name for path in (samples / "igc").iterdir() if path.suffix in SUFFIXES)

    def test_no_record_is_lost_from_sight(self, imports: Imports) -> None:
        for file in imports.read():
            assert file["records"] == file["fixes"] + file["rejected"] + file["duplicates_in_file"], file["file"]
            assert len(file["rejects"]) == file["rejected"], file["file"]

    def test_every_b_record_is_counted(self, imports: Imports) -> None:
        for file in imports.read():
            lines = Path(file["file"]).read_bytes().replace(b"\r", b"\n").split(b"\n")
            assert file["records"] == sum(line.startswith(b"B") for line in lines), file["file"]

    def test_the_rows_of_each_flight_are_its_fixes(self, imports: Imports) -> None:
        expected = {flight_id: file["fixes"] for file in imports.read() for flight_id in file["flight_ids"]}
        flights = imports.site.rows("SELECT flight_id, flight_uuid, points FROM flights")
        assert {row["flight_id"]: row["points"] for row in flights} == expected
        rows = imports.site.points("upload", "flight_uuid, count(*) AS points", "GROUP BY flight_uuid")
        assert {row["flight_uuid"]: row["points"] for row in rows} == {
            flight_uuid("upload", flight_id): fixes for flight_id, fixes in expected.items()
        }

    def test_the_flights_are_as_long_as_the_report_says(self, imports: Imports) -> None:
        times = imports.site.rows("""
            SELECT flight_id, to_char(first_fix AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS first,
                   to_char(last_fix AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS last FROM flights""")
        by_id = {row["flight_id"]: (row["first"], row["last"]) for row in times}
        for file in imports.read():
            (flight_id,) = file["flight_ids"]
            assert by_id[flight_id] == (file["start"][:19], file["end"][:19]), file["file"]

    def test_the_id_of_a_flight(self, imports: Imports) -> None:
        """A digest of its fixes: two of the files are the same flight with other ends of lines."""
        ids = [flight_id for file in imports.read() for flight_id in file["flight_ids"]]
        assert all(re.fullmatch("[0-9a-f]{16}", flight_id) for flight_id in ids)
        assert [count for count in Counter(ids).values() if count > 1] == [2]

    def test_what_was_new(self, imports: Imports) -> None:
        table = imports.site.value("SELECT count(*) FROM uploaded_track_points")
        assert sum(file["new"] for file in imports.read()) == table
        assert imports.first["totals"]["new"] == table
        assert imports.first["totals"]["fixes"] == sum(file["fixes"] for file in imports.read())

    def test_rejects_have_a_line_and_a_reason(self, imports: Imports) -> None:
        rejects = [reject for file in imports.first["files"] for reject in file["rejects"]]
        assert rejects
        for reject in rejects:
            assert reject["line"] >= 1
            assert reject["reason"]
        assert imports.first["totals"]["rejected"] == len(rejects)

    def test_a_second_import_reads_nothing_and_says_the_same(self, imports: Imports) -> None:
        assert imports.again["totals"]["already_imported"] == len([file for file in imports.first["files"] if file["fixes"]])
        assert imports.again["totals"]["fixes"] == 0
        for first, second in zip(imports.first["files"], imports.again["files"], strict=True):
            assert second["outcome"] == ("already imported" if first["fixes"] else first["outcome"])
            told = set(first) - {"outcome", "rejects", "reasons", "new"}
            assert {name: first[name] for name in told} == {name: second[name] for name in told}

    def test_a_forced_import_stores_nothing_new(self, imports: Imports) -> None:
        assert imports.forced["totals"]["new"] == 0
        assert {file["new"] for file in imports.forced["files"] if file["flight_ids"]} == {0}
        for first, second in zip(imports.first["files"], imports.forced["files"], strict=True):
            told = set(first) - {"outcome", "new"}
            assert {name: first[name] for name in told} == {name: second[name] for name in told}

    def test_nothing_waits_and_nothing_is_dead(self, imports: Imports) -> None:
        status = imports.site.status()
        totals = status["totals"]
        assert totals["accepted_points"] == totals["stored_points"] + totals["duplicate_points"]
        assert totals["dead_points"] == 0
        assert sum(queue["total_pending"] for queue in status["queues"]) == 0


class TestPlaces:
    def imported(self, site: Site, *arguments: str, stdin: bytes = b"") -> list[Any]:
        return list(site.report("import", "--wait", *arguments, stdin=stdin)["files"])

    def test_standard_input(self, staffed: Site) -> None:
        (file,) = self.imported(staffed, "-", stdin=fresh_igc())
        assert (file["records"], file["fixes"], file["new"]) == (5, 5, 5)
        assert len(stored(staffed, *file["flight_ids"])) == 5

    def test_a_zip_archive(self, staffed: Site, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "task.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("pilots/a.igc", fresh_igc(3))
            archive.writestr("pilots/b.IGC", fresh_igc(4))
        files = self.imported(staffed, str(tmp_path / "task.zip"))
        assert [(file["fixes"], file["new"]) for file in files] == [(3, 3), (4, 4)]
        assert all(name in file["file"] for name, file in zip(("a.igc", "b.IGC"), files, strict=True))

    def test_a_folder_with_folders_in_it(self, staffed: Site, tmp_path: Path) -> None:
        (tmp_path / "day" / "pilot").mkdir(parents=True)
        (tmp_path / "day" / "a.igc").write_bytes(fresh_igc(3))
        (tmp_path / "day" / "pilot" / "b.igc").write_bytes(fresh_igc(4))
        files = self.imported(staffed, str(tmp_path / "day"))
        assert sorted((file["fixes"], file["new"]) for file in files) == [(3, 3), (4, 4)]

    def test_a_pattern(self, staffed: Site, tmp_path: Path) -> None:
        for name in ("a1", "a2", "b1"):
            (tmp_path / f"{name}.igc").write_bytes(fresh_igc())
        files = self.imported(staffed, str(tmp_path / "a*.igc"))
        assert [Path(file["file"]).name for file in files] == ["a1.igc", "a2.igc"]

    def test_a_missing_file_beside_a_good_one(self, staffed: Site, tmp_path: Path) -> None:
        (tmp_path / "good.igc").write_bytes(fresh_igc())
        arguments = ("import", "--wait", str(tmp_path / "none.igc"), str(tmp_path / "good.igc"))
        bad, good = staffed.report(*arguments, expect=DONE_WITH_REJECTS)["files"]
        assert (bad["flight_ids"], bad["fixes"]) == ([], 0)
        assert "none.igc" in bad["error"]
        assert (good["error"], good["new"]) == (None, 5)

    def test_files_that_are_no_flights(self, staffed: Site, tmp_path: Path) -> None:
        contents = (b"", b"hello", b"\0\1\2", b"PK\3\4broken")
        for i, content in enumerate(contents):
            (tmp_path / f"{i}.igc").write_bytes(content)
        files = staffed.report("import", str(tmp_path), expect=1)["files"]
        assert [Path(file["file"]).name for file in files] == [f"{i}.igc" for i in range(len(contents))]
        assert all(file["error"] for file in files)

    def test_the_same_fixes_under_another_name(self, staffed: Site, tmp_path: Path) -> None:
        data = fresh_igc()
        for name, head in (("a.igc", b""), ("b.igc", b"HFPLTPILOT: somebody\r\n")):
            (tmp_path / name).write_bytes(data.replace(b"HFDTE", head + b"HFDTE"))
        first, second = self.imported(staffed, str(tmp_path))
        assert first["flight_ids"] == second["flight_ids"]
        assert (first["new"], second["new"]) == (5, 0)


class TestOptions:
    def test_the_values_of_an_igc_file(self, staffed: Site) -> None:
        """Further decimals of minutes count; south and west are negative; a fix without good reception is kept, and marked."""
        data = igc(
            "I023637LAD3839LOD",
            "B1000004530000N00630000EA01000011001234",
            "B1000013312345S07054321WV00000012000000",
        )
        report = staffed.report("import", "-", "--wait", "--flight-id", "values", "--device-id", "logger 7", stdin=data)
        assert report["totals"]["new"] == 2
        first, second = stored(staffed, "values")
        assert (first["lat"], first["lon"]) == (45 + 30.00012 / 60, 6 + 30.00034 / 60)
        assert (second["lat"], second["lon"]) == (-(33 + 12.345 / 60), -(70 + 54.321 / 60))
        assert [row["elevation"] for row in (first, second)] == [1100, 1200]
        assert [row["barometric_altitude"] for row in (first, second)] == [1000, 0]
        assert [row["valid"] for row in (first, second)] == [True, False]
        assert [row["time"].isoformat() for row in (first, second)] == [
            "2024-06-01T10:00:00+00:00",
            "2024-06-01T10:00:01+00:00",
        ]
        (flight,) = staffed.rows("SELECT kind, device_id FROM flights WHERE flight_id = 'values'")
        assert flight == {"kind": "upload", "device_id": "logger 7"}

    def test_altitudes_that_are_all_zero_are_unknown(self, staffed: Site) -> None:
        data = igc("B1100004530000N00630000EA0000001100", "B1100014530000N00630000EA0000001101")
        staffed.report("import", "-", "--wait", "--flight-id", "no baro", stdin=data)
        assert [row["barometric_altitude"] for row in stored(staffed, "no baro")] == [None, None]
        assert [row["elevation"] for row in stored(staffed, "no baro")] == [1100, 1101]

    def test_a_flymaster_upload_is_of_its_own_kind(self, staffed: Site) -> None:
        data = flymaster_text("77", [flymaster_row(i) for i in range(3)])
        (file,) = staffed.report("import", "-", "--wait", stdin=data)["files"]
        assert (file["kind"], file["new"]) == ("flymaster", 3)
        rows = stored(staffed, file["flight_ids"][0], kind="flymaster")
        assert [row["speed"] for row in rows] == [10, 10, 10]

    def test_what_stands_behind_the_end_of_a_flymaster_upload_is_a_reject(self, staffed: Site) -> None:
        data = flymaster_text("78", [flymaster_row(0)], end=f"EOF\n{flymaster_row(1)}\n")
        (file,) = staffed.report("import", "-", "--dry-run", stdin=data, expect=DONE_WITH_REJECTS)["files"]
        assert (file["fixes"], file["rejected"], file["rejects"][0]["line"]) == (1, 1, 4)

    def test_another_kind(self, staffed: Site) -> None:
        (file,) = staffed.report("import", "-", "--wait", "--kind", "live", stdin=fresh_igc())["files"]
        assert (file["kind"], file["new"]) == ("live", 5)
        assert len(stored(staffed, file["flight_ids"][0], kind="live")) == 5

    def test_split_at_gaps(self, staffed: Site) -> None:
        times = ("100000", "100001", "120000", "120001", "125959")
        data = igc(*(f"B{time}4530000N00630000EA0100001{i}00" for i, time in enumerate(times)))
        (whole,) = staffed.report("import", "-", "--wait", stdin=data)["files"]
        (split,) = staffed.report("import", "-", "--wait", "--split", stdin=data)["files"]
        (finer,) = staffed.report("import", "-", "--wait", "--split", "--gap", "30", stdin=data)["files"]
        assert [len(file["flight_ids"]) for file in (whole, split, finer)] == [1, 2, 3]
        assert [len(stored(staffed, flight_id)) for flight_id in split["flight_ids"]] == [2, 3]

    def test_a_file_without_a_date(self, staffed: Site) -> None:
        data = fresh_igc().replace(b"HFDTE010624\r\n", b"")
        (file,) = staffed.report("import", "-", expect=1, stdin=data)["files"]
        assert "--date" in file["error"]
        (file,) = staffed.report("import", "-", "--wait", "--date", "2023-02-28", stdin=data)["files"]
        assert file["start"].startswith("2023-02-28T10:")
        assert file["new"] == 5

    def test_rejects_beside_good_fixes(self, staffed: Site) -> None:
        data = fresh_igc().replace(b"4530000N", b"4561000N", 1)
        (file,) = staffed.report("import", "-", "--wait", expect=DONE_WITH_REJECTS, stdin=data)["files"]
        assert (file["records"], file["fixes"], file["new"]) == (5, 4, 4)
        (reject,) = file["rejects"]
        assert reject["line"] == 3

    def test_an_unknown_kind(self, staffed: Site) -> None:
        done = staffed.run("import", "-", "--kind", "balloon", expect=2)
        assert "balloon" in done.stderr
        assert done.stdout == ""

    def test_nobody_stores_and_the_wait_is_bounded(self, site: Site) -> None:
        done = site.run("import", "-", "--wait", "--timeout", "0.2", expect=4, stdin=fresh_igc())
        assert done.stderr.count("pointq: error:") == 1
        assert site.status()["totals"]["accepted_points"] == 5

    def test_without_waiting_nobody_knows_what_is_new(self, site: Site) -> None:
        (file,) = site.report("import", "-", stdin=fresh_igc())["files"]
        assert (file["fixes"], file["new"]) == (5, None)
        site.drain()
        assert len(stored(site, *file["flight_ids"])) == 5
