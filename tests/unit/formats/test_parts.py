"""Files that hold several tracks: one flight for each, and never one made of two devices."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pointq.errors import UsageError
from pointq.formats.batches import fingerprint, split, to_batch, to_split_batch
from pointq.formats.flaws import Flaw
from pointq.formats.flymaster_live import parse_flymaster_live
from pointq.formats.geojson import parse_geojson
from pointq.formats.track import LineReject, Part, TrackFile
from pointq.points.flights import Flight
from pointq.points.kinds import SCORING, UPLOAD

START = 1_719_835_200
HOUR = 3600.0


def fix(second: int, place: int = 0) -> dict[str, Any]:
    return {"d": START + second, "ai": str(2_767_407 + place), "oi": "459259", "h": "1250"}


def live(now_us: int, **tracks: list[dict[str, Any]]) -> TrackFile:
    document = {name.removeprefix("n"): rows for name, rows in tracks.items()}
    return parse_flymaster_live(json.dumps(document).encode(), now_us=now_us)


def lines(now_us: int, *seconds: list[int]) -> TrackFile:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[7, 46] for _ in times]},
            "properties": {"times": [START + second for second in times]},
        }
        for times in seconds
    ]
    return parse_geojson(json.dumps({"type": "FeatureCollection", "features": features}).encode(), now_us=now_us)


def test_each_part_is_a_flight_of_its_device(now_us: int) -> None:
    track = live(now_us, n17=[fix(0), fix(1)], n18=[], n19=[fix(0, 5)])
    assert track.parts == (Part(0, "17"), Part(2, "19"))
    batch = to_batch(track, UPLOAD)
    alone = live(now_us, n17=[fix(0), fix(1)]), live(now_us, n19=[fix(0, 5)])
    assert batch.flights == tuple(
        Flight.of("upload", fingerprint(part), device) for part, device in zip(alone, ("17", "19"), strict=True)
    )
    assert batch.flight.tolist() == [0, 0, 1]


def test_a_part_is_split_at_gaps_and_never_joined_to_the_next(now_us: int) -> None:
    track = live(now_us, n17=[fix(0), fix(4000)], n18=[fix(4001)])
    assert split(track, HOUR) == ((0, 1), (1, 2), (2, 3))
    assert [flight.device_id for flight in to_split_batch(track, UPLOAD, HOUR).flights] == ["17", "17", "18"]


def test_one_flight_id_for_several_tracks_is_refused(now_us: int) -> None:
    track = lines(now_us, [0], [1], [2])
    with pytest.raises(UsageError, match="--flight-id is for one flight, and the file holds 3 tracks"):
        to_batch(track, UPLOAD, flight_id="mine")
    assert to_batch(lines(now_us, [0, 1]), UPLOAD, flight_id="mine").flights == (Flight.of("upload", "mine"),)


def test_one_device_id_for_several_devices_is_refused(now_us: int) -> None:
    track = live(now_us, n17=[fix(0)], n18=[fix(1)])
    with pytest.raises(UsageError, match="--device-id is for one device, and the file names 2"):
        to_batch(track, UPLOAD, device_id="x")
    with pytest.raises(UsageError, match="--device-id is for one device, and the file names 2"):
        to_split_batch(track, UPLOAD, HOUR, device_id="x")


def test_one_device_id_is_for_all_tracks_that_name_none(now_us: int) -> None:
    batch = to_batch(lines(now_us, [0], [1]), UPLOAD, device_id="mine")
    assert [flight.device_id for flight in batch.flights] == ["mine", "mine"]
    assert to_batch(live(now_us, n17=[fix(0)]), UPLOAD, device_id="mine").flights[0].device_id == "mine"


def test_a_track_that_is_there_twice_is_one_flight(now_us: int) -> None:
    track = lines(now_us, [0, 1], [5], [1, 0])
    assert (len(track), len(track.parts)) == (5, 3)
    batch = to_batch(track, UPLOAD)
    assert batch.flight.tolist() == [0, 0, 1]
    assert batch.time.tolist() == [(START + second) * 1_000_000 for second in (0, 1, 5)]
    assert all(len(values) == 3 for values in to_batch(track, SCORING).columns.values())


def test_equal_fixes_of_two_devices_are_both_kept_and_of_one_device_once(now_us: int) -> None:
    track = live(now_us, n17=[fix(0), fix(1), fix(0)], n18=[fix(0)])
    assert (len(track), track.duplicates, track.parts) == (3, 1, (Part(0, "17"), Part(2, "18")))


def test_the_serial_is_known_where_there_is_one(now_us: int) -> None:
    assert live(now_us, n17=[fix(0)]).serial == "17"
    assert live(now_us, n17=[fix(0)], n18=[fix(0)]).serial is None
    assert live(now_us, n17=[fix(0)], n18=[]).serial == "17"


def test_a_file_of_one_track_has_no_parts(igc: Callable[..., TrackFile]) -> None:
    assert igc("B1201054607407N00739259EA0123401250").parts == ()


@pytest.mark.parametrize(
    ("reject", "place"),
    [
        (LineReject(5, "why"), "line 5"),
        (LineReject(7, "why", "record"), "record 7"),
        (LineReject(3, "why", "packet", 210), "packet 3, byte 210"),
    ],
)
def test_a_reject_says_where_it_is(reject: LineReject, place: str) -> None:
    assert reject.place == place


def test_records_are_numbered_through_all_parts(now_us: int) -> None:
    track = live(now_us, n17=[fix(0), {}], n18=[fix(0), {"d": 5}])
    assert [(reject.place, reject.reason) for reject in track.rejects] == [
        ("record 2", Flaw.NO_TIME.text),
        ("record 4", Flaw.NO_POSITION.text),
    ]
