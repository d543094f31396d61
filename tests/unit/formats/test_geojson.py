"""Tracks in GeoJSON: lines and points, and every place where times are put."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pointq.errors import FormatError, NoTrack
from pointq.formats.flaws import Flaw
from pointq.formats.geojson import parse_geojson
from pointq.formats.track import Part, TrackFile
from pointq.points.batch import Array

NOON = "2024-07-01T12:00:00Z"
NOON_S = 1_719_835_200
LATER = "2024-07-01T14:00:01.5+02:00"
LINE = [[7.5, 46.5, 1000], [7.6, 46.6, 1001.5]]
TIMES = [NOON, LATER]
EXPECTED = [NOON_S * 1_000_000, NOON_S * 1_000_000 + 1_500_000]

Parse = Callable[[object], TrackFile]


@pytest.fixture
def parse(now_us: int) -> Parse:
    return lambda document: parse_geojson(
        document if isinstance(document, bytes) else json.dumps(document).encode(), now_us=now_us
    )


def feature(kind: str, coordinates: object, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def collection(*features: object) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def reasons(track: TrackFile) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in track.rejects]


def without_nan(column: Array) -> list[Any]:
    return [None if np.isnan(value) else value for value in column.tolist()]


@pytest.mark.parametrize(
    "properties",
    [
        {"coordinateProperties": {"times": TIMES}},
        {"coordTimes": TIMES},
        {"times": TIMES},
        {"linestringTimestamps": [NOON_S, NOON_S + 1.5]},
        {"timestamps": [NOON_S * 1000, NOON_S * 1000 + 1500]},
        {"time": [NOON, NOON_S + 1.5]},
        {"time": NOON, "coordTimes": TIMES},
        {"times": ["1999-01-01T00:00:00Z"] * 2, "coordinateProperties": {"times": TIMES}},
        {"times": NOON, "timestamps": TIMES},
    ],
)
@pytest.mark.parametrize("kind", ["LineString", "Linestring", "MultiPoint"])
def test_where_lines_have_their_times(parse: Parse, kind: str, properties: dict[str, Any]) -> None:
    track = parse(feature(kind, LINE, **properties))
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": EXPECTED,
        "lat": [46.5, 46.6],
        "lon": [7.5, 7.6],
        "elevation": [1000.0, 1001.5],
    }
    assert (track.format, track.records, track.parts) == ("geojson", 2, (Part(0, None),))


@pytest.mark.parametrize("unit", [1, 1000])
def test_the_fourth_number_of_a_position_is_its_time_where_there_is_no_other(parse: Parse, unit: int) -> None:
    line = [[*position, (NOON_S + i * 1.5) * unit] for i, position in enumerate(LINE)]
    assert parse(feature("LineString", line)).columns["time"].tolist() == EXPECTED
    assert parse({"type": "LineString", "coordinates": line}).columns["time"].tolist() == EXPECTED
    other = parse(feature("LineString", line, times=[0, NOON]))
    assert reasons(other) == [(1, Flaw.BEFORE_1980.text)]


def test_points_without_a_time_are_places_and_no_track(parse: Parse) -> None:
    with pytest.raises(NoTrack, match="none of its points has a time"):
        parse(collection(feature("Point", [7, 46]), feature("Point", [7, 47], time=None)))
    assert len(parse(collection(feature("Point", [7, 46]), feature("Point", [7, 47], time=NOON)))) == 1
    assert len(parse(feature("LineString", LINE)).rejects) == len(LINE)


@pytest.mark.parametrize("fourth", [{"dt": 1}, "x", True, None, []])
def test_another_fourth_element_is_no_time(parse: Parse, fourth: object) -> None:
    assert reasons(parse(feature("LineString", [[7, 46, 5, fourth]]))) == [(1, Flaw.NO_TIME.text)]


@pytest.mark.parametrize("times", [[[NOON], [], [LATER]], TIMES])
def test_the_lines_of_one_feature_are_one_track(parse: Parse, times: list[Any]) -> None:
    values = {"times": times, "speed": [[1.5], [], [2.5]]}
    track = parse(feature("MultiLineString", [LINE[:1], [], LINE[1:]], coordinateProperties=values))
    assert track.columns["time"].tolist() == EXPECTED
    assert track.columns["speed"].tolist() == [1.5, 2.5]
    assert track.parts == (Part(0, None),)


@pytest.mark.parametrize("times", [[], [NOON], [NOON] * 3, [[NOON], [LATER], []], [[NOON]]])
def test_times_that_do_not_fit_are_no_times(parse: Parse, times: list[Any]) -> None:
    track = parse(collection(feature("LineString", LINE, times=times), feature("LineString", LINE, times=TIMES)))
    assert reasons(track) == [(1, Flaw.TIME_COUNT.text), (2, Flaw.TIME_COUNT.text)]
    assert len(track) == 2


@pytest.mark.parametrize("times", [[[NOON, LATER]], [[NOON], [LATER], []], [NOON]])
def test_times_of_several_lines_that_do_not_fit(parse: Parse, times: list[Any]) -> None:
    track = parse(feature("MultiLineString", [LINE[:1], LINE[1:]], times=times))
    assert {reason for _, reason in reasons(track)} == {Flaw.TIME_COUNT.text}


def test_each_line_is_a_track_of_its_own(parse: Parse) -> None:
    lines = [feature("LineString", LINE, times=TIMES, device_id=device) for device in ("a", 17, None, " ", "a")]
    track = parse(collection(*lines))
    assert track.parts == (Part(0, "a"), Part(2, "17"), Part(4, None), Part(6, None), Part(8, "a"))


@pytest.mark.parametrize(
    "properties", [{"time": NOON}, {"timestamp": NOON}, {"datetime": NOON}, {"time": None, "timestamp": NOON_S}]
)
def test_where_points_have_their_times(parse: Parse, properties: dict[str, Any]) -> None:
    track = parse(collection(feature("Point", [7.5, 46.5, 5], **properties)))
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": EXPECTED[:1],
        "lat": [46.5],
        "lon": [7.5],
        "elevation": [5.0],
    }


def test_the_points_of_a_device_are_one_track(parse: Parse) -> None:
    devices = ["a", None, "b", "a", None]
    points = [
        feature("Point", [7 + i, 46], time=NOON_S + i, **({"device_id": device} if device else {}))
        for i, device in enumerate(devices)
    ]
    track = parse(collection(*points, feature("LineString", [[1, 1]], times=[NOON_S], device_id="a")))
    assert track.parts == (Part(0, "a"), Part(2, None), Part(4, "b"), Part(5, "a"))
    assert track.columns["lon"].tolist() == [7, 10, 8, 11, 9, 1]


def test_what_overland_sends(parse: Parse) -> None:
    properties = {
        "timestamp": "2024-07-01T14:00:00+0200",
        "altitude": 80,
        "speed": 4.5,
        "course": -1,
        "horizontal_accuracy": 30,
        "vertical_accuracy": -1,
        "motion": ["driving"],
        "battery_level": 0.8,
        "device_id": "phone",
    }
    track = parse({"locations": [feature("Point", [7.5, 46.5], **properties)]})
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": EXPECTED[:1],
        "lat": [46.5],
        "lon": [7.5],
        "elevation": [80.0],
        "speed": [4.5],
        "accuracy": [30.0],
    }
    assert track.parts == (Part(0, "phone"),)


def test_every_further_column(parse: Parse) -> None:
    values = {
        "times": TIMES,
        "barometric_altitude": [990, None],
        "speed": [11.5, 0],
        "heading": [None, 90],
        "accuracy": [5, 6],
        "valid": [True, None],
        "uploaded_at": [None, NOON],
        "heart": [70, 71],
    }
    track = parse(collection(feature("LineString", [[7, 46], [7.1, 46, None]], coordinateProperties=values)))
    assert {name: without_nan(column) for name, column in track.columns.items()} == {
        "time": EXPECTED,
        "lat": [46.0, 46.0],
        "lon": [7.0, 7.1],
        "barometric_altitude": [990.0, None],
        "speed": [11.5, 0.0],
        "heading": [None, 90.0],
        "accuracy": [5.0, 6.0],
        "valid": [1, -1],
        "uploaded_at": [-(2**63), EXPECTED[0]],
    }


@pytest.mark.parametrize("values", [[1], [1, 2, 3], 5, "ab", {"0": 1}, None, [["x"], ["y"]]])
def test_a_column_that_does_not_fit_is_left_out(parse: Parse, values: object) -> None:
    track = parse(feature("LineString", LINE, coordinateProperties={"times": TIMES, "speed": values}))
    assert (len(track), "speed" in track.columns) == (2, False)


def test_values_that_are_none_of_their_column(parse: Parse) -> None:
    values = {"times": TIMES, "speed": ["fast", 5], "valid": [1, True], "heading": [True, 1e308], "uploaded_at": ["x", NOON]}
    track = parse(feature("LineString", LINE, coordinateProperties=values))
    assert np.isnan(track.columns["speed"]).tolist() == [True, False]
    assert track.columns["valid"].tolist() == [-1, 1]
    assert track.columns["uploaded_at"].tolist() == [-(2**63), EXPECTED[0]]
    assert "heading" not in track.columns


def test_columns_that_only_some_features_have(parse: Parse) -> None:
    track = parse(
        collection(
            feature("LineString", LINE, times=TIMES),
            feature("LineString", LINE, coordinateProperties={"times": TIMES, "speed": [1, 2], "elevation": [8, 9]}),
            feature("Point", [7, 46], time=NOON, elevation=3),
        )
    )
    assert without_nan(track.columns["speed"]) == [None, None, 1, 2, None]
    assert track.columns["elevation"].tolist() == [1000, 1001.5, 1000, 1001.5, 3]


@pytest.mark.parametrize(
    ("position", "time", "flaw"),
    [
        (None, NOON, Flaw.NO_LIST),
        ({"lat": 1}, NOON, Flaw.NO_LIST),
        ([], NOON, Flaw.NO_POSITION),
        (["7", "46"], NOON, Flaw.NO_POSITION),
        ([True, False], NOON, Flaw.NO_POSITION),
        ([[7], 46], NOON, Flaw.NO_POSITION),
        ([0, 0], NOON, Flaw.NULL_ISLAND),
        ([-0.0, 0], NOON, Flaw.NULL_ISLAND),
        ([7, 90.5], NOON, Flaw.LATITUDE_RANGE),
        ([1e308, 1e308], NOON, Flaw.LATITUDE_RANGE),
        ([-180.5, 46], NOON, Flaw.LONGITUDE_RANGE),
        ([7, 46], None, Flaw.NO_TIME),
        ([7, 46], "2024-07-01T12:00:00", Flaw.TIME_FORM),
        ([7, 46], "noon", Flaw.TIME_FORM),
        ([7, 46], True, Flaw.TIME_FORM),
        ([7, 46], {}, Flaw.TIME_FORM),
        ([7, 46], 1e308, Flaw.TIME_FORM),
        ([7, 46], 2**63, Flaw.TIME_FORM),
        ([7, 46], -1e20, Flaw.TIME_FORM),
        ([7, 46], "1970-01-01T00:00:00Z", Flaw.BEFORE_1980),
        ([7, 46], "2000-01-01T00:00:00Z", Flaw.POWER_UP),
        ([7, 46], "2099-01-01T00:00:00Z", Flaw.FUTURE),
    ],
)
def test_a_bad_value_costs_its_own_fix(parse: Parse, position: object, time: object, flaw: Flaw) -> None:
    line = parse(feature("LineString", [LINE[0], position, LINE[1]], times=[NOON, time, LATER]))
    points = parse(
        collection(
            feature("Point", LINE[0], time=NOON), feature("Point", position, time=time), feature("Point", LINE[1], time=LATER)
        )
    )
    for track in (line, points):
        assert reasons(track) == [(2, flaw.text)]
        assert track.columns["time"].tolist() == EXPECTED


def test_what_is_no_track_is_left_out(parse: Parse) -> None:
    others = [
        {"type": "Feature", "geometry": None, "properties": None},
        feature("Polygon", [[[0, 0], [1, 0], [0, 1], [0, 0]]]),
        {"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": [{}]}, "properties": {}},
        feature("Sphere", 5),
    ]
    track = parse(collection(*others, feature("LineString", LINE, times=TIMES)))
    assert (len(track), track.records) == (2, 2)
    with pytest.raises(FormatError, match="expected lines or points, found neither"):
        parse(collection(*others))


def test_a_line_without_positions_is_a_track_without_fixes(parse: Parse) -> None:
    track = parse(feature("LineString", [], times=[]))
    assert (len(track), track.records, track.parts) == (0, 0, ())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"type": "Feature"', "not JSON"),
        (b'{"type":' * 5000, "not JSON"),
        (b'["Feature"]', "the document: expected an object, found a list"),
        ({"type": "Topology"}, "expected the type FeatureCollection, Feature or a geometry, found 'Topology'"),
        ({"type": 5}, "found 5"),
        ({}, "found null"),
        ({"type": "FeatureCollection"}, "features: expected a list, found null"),
        ({"locations": 5}, "locations: expected a list, found 5"),
        (collection(feature("Point", [7, 46]), 5), r"features\[1\]: expected an object, found 5"),
        (collection({"geometry": 5}), r"features\[0\]\.geometry: expected an object, found 5"),
        (collection({"geometry": {}, "properties": []}), r"features\[0\]\.properties: expected an object, found a list"),
        (collection(feature("LineString", {})), r"features\[0\]: coordinates: expected a list, found an object"),
        (feature("MultiLineString", [[], 5]), r"the feature: coordinates\[1\]: expected a list, found 5"),
        ({"type": "LineString"}, "the document: coordinates: expected a list, found null"),
    ],
)
def test_another_shape_is_an_error_that_says_where(parse: Parse, document: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse(document)


def test_bad_values_among_many(parse: Parse) -> None:
    bad: list[tuple[object, object, Flaw]] = [
        (None, NOON_S, Flaw.NO_LIST),
        ([7, "46"], NOON_S, Flaw.NO_POSITION),
        ([7, 2**63], NOON_S, Flaw.LATITUDE_RANGE),
        ([7, 46], None, Flaw.NO_TIME),
        ([7, 46], [NOON], Flaw.TIME_FORM),
        ([7, 46], True, Flaw.TIME_FORM),
        ([7, 46], "2024-07-01 12:00", Flaw.TIME_FORM),
        ([7, 46], "2024-02-30T12:00:00Z", Flaw.TIME_FORM),
        ([7, 46], 1e300, Flaw.TIME_FORM),
    ]
    rows = [bad[i % 9] if i % 2 else ([7, 46, i], NOON_S + i, Flaw.NONE) for i in range(900)]
    positions, times, flaws = zip(*rows, strict=True)
    track = parse(feature("LineString", positions, coordinateProperties={"times": times}))
    assert reasons(track) == [(i, flaw.text) for i, flaw in enumerate(flaws, 1) if flaw is not Flaw.NONE]
    assert track.columns["elevation"].tolist() == list(range(0, 900, 2))
    assert track.columns["time"].tolist() == [(NOON_S + i) * 1_000_000 for i in range(0, 900, 2)]
