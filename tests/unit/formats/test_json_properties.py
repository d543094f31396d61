"""What small writers of the JSON formats write is read back; and no document does any harm."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.batches import to_batch
from pointq.formats.detect import FORMATS, Hints, parse
from pointq.formats.track import TrackFile
from pointq.points.kinds import UPLOAD

NOW_US = 1_767_225_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HINTS = Hints(NOW_US)
BY_NAME: dict[str, Callable[[bytes], TrackFile]] = {
    known.name: lambda data, known=known: known.parse(data, HINTS)  # type: ignore[misc]
    for known in FORMATS
    if known.name in {"flymaster-live", "xcontest", "geojson"}
}


@dataclass(frozen=True)
class Fix:
    """One fix, in what the formats count in."""

    time_us: int
    lat: float
    lon: float
    elevation: float | None
    pressure: float | None
    speed: float | None

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.time_us, self.lat, self.lon, self.elevation)

    @property
    def iso(self) -> str:
        return (EPOCH + timedelta(microseconds=self.time_us)).isoformat()


def fixes(resolution_us: int = 1) -> st.SearchStrategy[list[Fix]]:
    metres = st.none() | st.integers(-2_000, 10_000)
    some = st.builds(
        Fix,
        time_us=st.integers(946_771_200_000_000 // resolution_us, NOW_US // resolution_us).map(lambda t: t * resolution_us),
        lat=st.floats(-90, 90).filter(lambda lat: lat != 0),
        lon=st.floats(-180, 180).filter(lambda lon: lon != 0),
        elevation=metres,
        pressure=metres,
        speed=st.none() | st.integers(0, 300),
    )
    return st.lists(some, min_size=1, max_size=8, unique_by=lambda fix: fix.time_us)


def rows(track: TrackFile) -> list[list[tuple[Any, ...]]]:
    """Time, latitude, longitude, altitude of the fixes of each part."""
    altitude = track.columns["elevation"].tolist() if "elevation" in track.columns else [math.nan] * len(track)
    columns = [track.columns[name].tolist() for name in ("time", "lat", "lon")]
    columns.append([None if math.isnan(value) else value for value in altitude])
    found = list(zip(*columns, strict=True))
    edges = [*(part.first for part in track.parts), len(track)]
    return [found[start:stop] for start, stop in pairwise(edges)]


def write_line(track: list[Fix], times: str) -> dict[str, Any]:
    values = [fix.iso for fix in track]
    properties = {"coordinateProperties": {"times": values}} if times == "coordinateProperties" else {times: values}
    # without an altitude the position has two numbers
    coordinates = [[fix.lon, fix.lat, *([] if fix.elevation is None else [fix.elevation])] for fix in track]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "LineString", "coordinates": coordinates}}


@settings(max_examples=150, deadline=None)
@given(st.lists(fixes(), min_size=1, max_size=3), st.sampled_from(["coordinateProperties", "coordTimes", "times", "time"]))
def test_lines_of_geojson_are_read(tracks: list[list[Fix]], times: str) -> None:
    features = [write_line(track, times) for track in tracks]
    track = parse(orjson.dumps({"features": features, "type": "FeatureCollection"}), HINTS)
    assert rows(track) == [[fix.row for fix in written] for written in tracks]


@settings(max_examples=150, deadline=None)
@given(st.lists(fixes(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_points_of_geojson_are_read(tracks: list[list[Fix]], random: Any) -> None:
    points = [(device, fix) for device, track in enumerate(tracks) for fix in track]
    random.shuffle(points)
    features = [
        {
            "type": "Feature",
            "properties": {"timestamp": fix.iso, "altitude": fix.elevation, "device_id": device},
            "geometry": {"type": "Point", "coordinates": [fix.lon, fix.lat]},
        }
        for device, fix in points
    ]
    track = parse(orjson.dumps({"locations": features}), HINTS)
    found = dict(zip((part.device_id for part in track.parts), rows(track), strict=True))
    assert found == {
        str(device): [fix.row for of, fix in points if of == device] for device in dict.fromkeys(of for of, _ in points)
    }


@settings(max_examples=150, deadline=None)
@given(fixes(resolution_us=1000), st.booleans())
def test_tracks_of_xcontest_are_read(track: list[Fix], whole: Any) -> None:
    # no step is longer than a day, and half of the files have whole seconds
    unit = 1_000_000 if whole else 1000
    start = track[0].time_us // unit * unit
    times = [start + (fix.time_us - start) % 86_400_000_000 // unit * unit for fix in track]
    steps = [0, *((later - earlier) / 1e6 for earlier, later in pairwise(times))]
    coordinates = [
        [fix.lon, fix.lat, fix.elevation, {"b": fix.pressure} if step == 1 else {"dt": step, "b": fix.pressure}]
        for fix, step in zip(track, steps, strict=True)
    ]
    properties = {"firstFixTime": (EPOCH + timedelta(microseconds=start)).isoformat()}
    data = orjson.dumps({"flight": {"geometry": {"coordinates": coordinates}, "properties": properties}})
    expected = dict.fromkeys((time, fix.lat, fix.lon) for time, fix in zip(times, track, strict=True))
    assert [row[:3] for row in rows(parse(data, HINTS))[0]] == list(expected)


@settings(max_examples=150, deadline=None)
@given(st.lists(fixes(resolution_us=1_000_000), min_size=1, max_size=3), st.sampled_from([str, int]))
def test_live_json_of_flymaster_is_read(tracks: list[list[Fix]], write: Callable[[float], str | int]) -> None:
    def units(degrees: float) -> int:
        return int(degrees * 60_000) or 1

    def written(fix: Fix) -> dict[str, Any]:
        values = {"d": fix.time_us // 10**6, "ai": units(fix.lat), "oi": units(fix.lon), "h": fix.elevation, "v": fix.speed}
        return {key: write(value) for key, value in values.items() if value is not None}

    data = orjson.dumps({str(serial): list(map(written, track)) for serial, track in enumerate(tracks)})
    track = parse(data, HINTS)
    assert rows(track) == [
        [(fix.time_us, units(fix.lat) / 60_000, units(fix.lon) / 60_000, fix.elevation) for fix in of] for of in tracks
    ]
    speeds = [fix.speed for of in tracks for fix in of]
    if any(speed is not None for speed in speeds):
        found = [None if math.isnan(speed) else speed for speed in track.columns["speed"].tolist()]
        assert found == [None if speed is None else speed / 3.6 for speed in speeds]


# --- Whatever comes ---------------------------------------------------------------------------------------------------

KEYS = ["type", "features", "geometry", "coordinates", "properties", "coordinateProperties", "times", "coordTimes", "time"]
KEYS += ["timestamp", "device_id", "speed", "valid", "users", "flight", "lastLoc", "firstFixTime", "locations"]
KEYS += ["5518", "d", "ai", "oi", "h", "c", "b", "v", "t", "dt"]
TYPES = ["FeatureCollection", "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Linestring"]
WORDS = [*KEYS, *TYPES, "2022-04-04T14:19:31Z", "46.5", "0", "-0", "1e9", "nan"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -0.0, 1, 7.5, 46.5, 1e308, -1e308, 1_649_081_971, 1_649_081_971_000])
    | st.sampled_from(WORDS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)
POSITION = st.lists(VALUES, max_size=5) | st.tuples(st.floats(-180, 180), st.floats(-90, 90), VALUES, VALUES) | VALUES
TIME = VALUES | st.just("2022-04-04T14:19:31Z")
PROPERTIES = st.dictionaries(st.sampled_from(WORDS), VALUES | st.lists(TIME, max_size=4), max_size=4)
GEOMETRY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Point", "MultiPoint", "LineString", "MultiLineString"]),
        "coordinates": POSITION | st.lists(POSITION, max_size=4) | st.lists(st.lists(POSITION, max_size=3), max_size=3),
    }
)
FEATURE = st.fixed_dictionaries({"type": st.just("Feature"), "geometry": GEOMETRY | VALUES, "properties": PROPERTIES | VALUES})
ROW = st.dictionaries(st.sampled_from(["d", "ai", "oi", "h", "c", "b", "v"]), VALUES, max_size=7) | VALUES
DOCUMENTS = (
    VALUES
    | FEATURE
    | GEOMETRY
    | st.fixed_dictionaries({"type": st.just("FeatureCollection"), "features": st.lists(FEATURE, max_size=4) | VALUES})
    | st.fixed_dictionaries({"locations": st.lists(FEATURE | VALUES, max_size=3)})
    | st.fixed_dictionaries({"flight": FEATURE | VALUES})
    | st.fixed_dictionaries(
        {"users": st.dictionaries(st.text(max_size=3), st.fixed_dictionaries({"lastLoc": FEATURE | VALUES}))}
    )
    | st.dictionaries(st.sampled_from(["5518", "1", "x", "\0"]), st.lists(ROW, max_size=4), max_size=3)
)


@pytest.mark.parametrize("name", BY_NAME)
@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS)
def test_arbitrary_documents(name: str, document: Any) -> None:
    must_not_raise_anything_else(BY_NAME[name], orjson.dumps(document))


@pytest.mark.parametrize("name", BY_NAME)
@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=200) | st.lists(st.sampled_from([*WORDS, *'{}[]",:\\ue']), max_size=60).map("".join).map(str.encode)
)
def test_arbitrary_bytes(name: str, data: bytes) -> None:
    must_not_raise_anything_else(BY_NAME[name], data)
    must_not_raise_anything_else(lambda content: parse(content, HINTS), b"{" + data)


@pytest.mark.parametrize("name", BY_NAME)
@settings(max_examples=100, deadline=None)
@given(document=DOCUMENTS, data=st.data())
def test_damaged_documents(name: str, document: Any, data: st.DataObject) -> None:
    content = bytearray(orjson.dumps(document))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 10))] = data.draw(st.binary(max_size=10))
    must_not_raise_anything_else(BY_NAME[name], bytes(content))


def must_not_raise_anything_else(read: Callable[[bytes], TrackFile], data: bytes) -> None:
    try:
        track = read(data)
    except FormatError as exc:
        message = exc.message
    else:
        is_accounted_for(track)
        return
    assert "\n" not in message


def is_accounted_for(track: TrackFile) -> None:
    assert track.records == len(track) + len(track.rejects) + track.duplicates
    assert all(1 <= reject.line <= track.records for reject in track.rejects)
    assert [part.first for part in track.parts] == sorted({part.first for part in track.parts})
    assert len(to_batch(track, UPLOAD)) <= len(track)
