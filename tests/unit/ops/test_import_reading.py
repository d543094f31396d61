"""What an import says of a file, and what it hands on."""

import math
import pickle

import numpy as np
import pytest

from pointq.errors import UsageError
from pointq.ops.importing.figures import EARTH_KM
from pointq.ops.importing.options import Options, columns_of
from pointq.ops.importing.reading import PIECE_POINTS, Task, read
from pointq.ops.importing.report import LISTED, FileReport, summary
from pointq.points import frame
from tests.support.flights import igc

NOW_US = 1_800_000_000_000_000


def report(data: bytes, options: Options | None = None) -> FileReport:
    return read(Task("a.igc", "a.igc", data, options or Options(), NOW_US)).report


def test_the_track_along_a_meridian_is_as_long_as_its_arc() -> None:
    data = igc(
        "B1000004500000N00600000EA0000001000", "B1000014600000N00600000EA0000001000", "B1000024500000N00600000EA0000001000"
    )

    assert report(data).length_km == pytest.approx(2 * EARTH_KM * math.radians(1), rel=1e-9)


def test_fixes_that_are_not_valid_make_no_way_and_no_height() -> None:
    data = igc(
        "B1000004500000N00600000EA0100001100", "B1000015500000N00600000EV0900009000", "B1000024500000N00600000EA0100001200"
    )

    found = report(data)
    assert (found.fixes, found.length_km, found.highest) == (3, 0.0, 1200.0)
    assert report(data, Options(kind="scoring")).highest == 1200.0


def test_a_flight_across_the_date_line_does_not_go_round_the_world() -> None:
    data = igc("B1000000000000N17959000EA0000001000", "B1000010000000N17959000WA0000001000")

    assert report(data).length_km == pytest.approx(EARTH_KM * math.radians(2 / 60), rel=1e-9)


def test_the_gap_between_two_flights_is_no_track() -> None:
    data = igc("B1000004500000N00600000EA0000001000", "B1200004600000N00600000EA0000001000")

    assert report(data, Options(split=True)).length_km == 0.0


def test_a_long_file_is_cut_into_pieces_that_hold_all_of_it() -> None:
    count = PIECE_POINTS + 5
    rows = (f"B{i // 3600:02}{i // 60 % 60:02}{i % 60:02}4530000N00630000EA0000001500" for i in range(count))

    file = read(Task("a.igc", "a.igc", igc(*rows), Options(), NOW_US))

    assert [piece.points for piece in file.pieces] == [PIECE_POINTS, 5]
    times = np.concatenate([frame.decode(piece.frame).time for piece in file.pieces])
    assert (np.diff(times) == 1_000_000).all()
    assert sum(file.flights.values()) == count


def test_a_bad_file_reports_some_of_its_lines_and_how_many_there_are() -> None:
    found = report(igc(*["B1000004561000N00630000EA0000001500"] * (LISTED + 20)))

    assert (found.outcome, found.rejected, len(found.rejects)) == ("no fixes", LISTED + 20, LISTED)


@pytest.mark.parametrize("data", [b"", b"hello", b"\0\1\2", b"PK\3\4broken"])
def test_what_is_no_flight_fails_with_a_reason(data: bytes) -> None:
    found = report(data)

    assert found.outcome == "failed"
    assert found.error


POINT = b'{"type": "Point", "coordinates": [7, 46]}'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("results.csv", b"rank,pilot\n1,Anna\n"),
        ("task.json", b'{"turnpoints": []}'),
        ("notes.txt", b""),
        ("waypoints.gpx", b"<gpx><wpt lat='46' lon='7'/></gpx>"),
        ("airspace.geojson", b'{"type": "FeatureCollection", "features": []}'),
        ("turnpoints.geojson", POINT),
        ("task.json", b'{"kind": "task", "start": ' + POINT + b"}"),
    ],
)
def test_what_is_plainly_no_track_fails_only_where_it_was_named(name: str, data: bytes) -> None:
    named, found = (read(Task(name, name, data, Options(), NOW_US, was_named=was_named)).report for was_named in (True, False))

    assert (named.outcome, found.outcome) == ("failed", "passed over")
    assert (named.foreign, found.foreign) == (True, True)
    assert (named.error or "").startswith(found.error or "no reason")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("anna.igc", b""),
        ("anna.igc", b"<html>"),
        ("anna.gpx", b"<html>"),
        ("anna.geojson", b'{"type": "FeatureCollection", '),
        ("anna.json", b'{"type": "FeatureCollection", '),
        ("anna.csv", b"lat,lon\n46,7\n"),
    ],
)
def test_what_should_be_a_track_fails_wherever_it_lay(name: str, data: bytes) -> None:
    found = read(Task(name, name, data, Options(), NOW_US, was_named=False)).report

    assert (found.outcome, found.foreign) == ("failed", False)


def test_a_report_lists_the_first_flights_and_says_how_many_there_are() -> None:
    count = LISTED + 20
    rows = (f"{device},2024-07-01T12:00:00Z,46,{device + 1}" for device in range(count))
    file = read(Task("a.csv", "a.csv", "\n".join(["device,time,lat,lon", *rows]).encode(), Options(), NOW_US))

    assert (file.report.flights, len(file.report.flight_ids), len(file.flights)) == (count, LISTED, count)
    assert summary([file.report, file.report]).flights == LISTED + 2 * 20


def test_what_decides_besides_the_bytes() -> None:
    plain = Options().signature("a.igc")

    assert Options(gap_seconds=1).signature("b/c.igc") == plain
    others = [
        Options(flight_id="x").signature("a.igc"),
        Options(split=True).signature("a.igc"),
        Options(split=True, gap_seconds=1).signature("a.igc"),
        Options(kind="scoring").signature("a.igc"),
        Options(columns={"lat": "Latitude"}).signature("a.igc"),
        Options().signature("2024-06-01-XXX-1.igc"),
    ]
    assert len({plain, *others}) == len(others) + 1


@pytest.mark.parametrize("text", ["lat", "=Latitude", "lat="])
def test_a_mapped_column_needs_both_names(text: str) -> None:
    with pytest.raises(UsageError, match="name=Header"):
        columns_of([text])


def test_only_columns_that_there_are_can_be_mapped() -> None:
    assert columns_of(["lat=Breite", "speed_kmh=V=x"]) == {"lat": "Breite", "speed_kmh": "V=x"}
    with pytest.raises(UsageError, match="there is no column 'latitud' to map 'Breite' to"):
        columns_of(["latitud=Breite"])


def test_each_track_of_a_file_is_a_flight_of_its_own() -> None:
    rows = ["device,time,lat,lon", *(f"{device},2024-07-01T12:00:0{i}Z,46,7.{ord(device)}" for device in "abb" for i in "01")]

    found = report("\n".join(rows).encode())

    assert (found.fixes, found.records, found.duplicates_in_file, len(found.flight_ids)) == (4, 6, 2, 2)


def test_a_track_that_is_in_a_file_twice_counts_as_duplicates() -> None:
    track = "<trk><trkseg><trkpt lat='46' lon='7'><time>2024-07-01T12:00:00Z</time></trkpt></trkseg></trk>"

    found = report(f"<gpx>{track * 3}</gpx>".encode())

    assert (found.records, found.fixes, found.duplicates_in_file, len(found.flight_ids)) == (3, 1, 2, 1)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (Options(flight_id="x"), "--flight-id is for one flight, and the file holds 2 tracks; leave it out"),
        (Options(device_id="x"), "--device-id is for one device, and the file names 2; leave it out"),
    ],
)
def test_one_id_for_several_tracks_fails_that_file(options: Options, error: str) -> None:
    found = report(b"device,time,lat,lon\na,2024-07-01T12:00:00Z,46,7\nb,2024-07-01T12:00:01Z,46,7\n", options)

    assert found.outcome == "failed"
    assert (found.error or "").startswith(error)


def test_a_report_holds_as_much_of_a_million_rejects_as_of_a_hundred() -> None:
    data = b"time,lat,lon\n" + b"2024-07-01T12:00:00Z,0,0\n" * 1_000_000 + b"2024-07-01T12:00:00Z,91,0\n"

    file = read(Task("a.csv", "a.csv", data, Options(), NOW_US))

    assert (file.rejects, len(file.report.rejects), file.report.rejected) == (None, LISTED, 1_000_001)
    assert list(file.report.reasons.values()) == [1_000_000, 1]
    assert len(pickle.dumps(file)) < 20_000


def test_what_is_known_already_counts_only_as_a_file() -> None:
    reports = [
        FileReport("a", "already imported", fixes=100, rejected=3, new=0, records=103),
        FileReport("b", "stored", fixes=5, new=4, duplicates_in_file=2, records=7),
    ]

    found = summary(reports)

    assert (found.files, found.already_imported, found.fixes, found.records, found.rejected) == (2, 1, 5, 7, 0)
    assert (found.new, found.duplicates) == (4, 3)


def test_what_was_passed_over_is_no_file_of_an_import() -> None:
    found = summary([FileReport("a", "stored", fixes=5, new=5), FileReport("b", "passed over", foreign=True)])

    assert (found.files, found.passed_over, found.failed, found.new) == (1, 1, 0, 5)


def test_what_nobody_waited_for_is_not_known_to_be_new() -> None:
    found = summary([FileReport("a", "queued", fixes=100)])

    assert (found.new, found.duplicates) == (None, None)
