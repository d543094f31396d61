"""Points → a file → points: every writer against pointq's own reader of its format, and other readers of JSON, XML, CSV."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.formats.batches import to_batch
from pointq.formats.detect import Hints, parse
from pointq.formats.track import TrackFile
from pointq.formats.writers import WRITERS, About, Survey, written
from pointq.points.batch import Array, PointBatch, nulls
from pointq.points.flights import Flight
from pointq.points.kinds import KINDS, SCORING, UPLOAD, Column, ColumnType, Kind

NOW_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
START_US = int(datetime(2024, 7, 1, 23, 59, 58, tzinfo=UTC).timestamp()) * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GPX = "{http://www.topografix.com/GPX/1/1}"

# IGC and XML cut numbers that are nearly 0, and a fix at 0, 0 is none
angles = st.one_of(
    st.integers(-890_000_000, 890_000_000).filter(bool).map(lambda value: value / 1e7),
    st.integers(-5_000_000, 5_000_000).filter(bool).map(lambda value: value / 60_000),
    st.floats(1e-6, 89.9).flatmap(lambda value: st.sampled_from([value, -value])),
)
steps = st.one_of(
    st.integers(0, 5_000).map(lambda ms: ms * 1_000), st.integers(0, 10**7), st.integers(0, 3 * 86_400).map(lambda s: s * 10**6)
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


def values_of(column: Column) -> st.SearchStrategy[Any]:
    """A value of a column that can be in a table, NULL among them."""
    null = st.just(column.type.value.null)
    match column.type:
        case ColumnType.FLOAT:
            low, high = column.minimum or 0, column.maximum or 0
            return null | st.floats(low, high).map(lambda value: value + 0.0) | st.integers(int(low), int(high)).map(float)
        case ColumnType.INT:
            return null | st.integers(-(2**31) + 1, 2**31 - 1)
        case ColumnType.BOOL:
            return st.sampled_from([-1, 0, 1])
        case ColumnType.TIME:
            return null | st.integers(START_US, NOW_US)
        case ColumnType.TEXT:
            return null | texts.map(str.encode)


@st.composite
def batches(draw: st.DrawFn, kinds: Sequence[Kind] = tuple(KINDS.values())) -> PointBatch:
    """Points of one flight in order of time, no two with one key, some columns without any value."""
    kind = draw(st.sampled_from(kinds))
    keys = draw(st.lists(st.tuples(steps, angles, angles), min_size=1, max_size=12, unique_by=lambda key: key[1:]))
    count = len(keys)
    columns: dict[str, Array] = {"time": START_US + np.cumsum([key[0] for key in keys]).astype(np.int64)}
    columns |= {name: np.array([key[place] for key in keys], np.float64) for place, name in ((1, "lat"), (2, "lon"))}
    for column in kind.own_columns:
        if draw(st.booleans()):
            columns[column.name] = array(column, draw(st.lists(values_of(column), min_size=count, max_size=count)))
    flight = Flight.of(kind.name, draw(texts.filter(bool)), draw(st.none() | texts.filter(bool)))
    return PointBatch(kind, (flight,), np.zeros(count, np.int32), columns)


def array(column: Column, values: list[Any]) -> Array:
    return np.array(values, f"S{max(1, *map(len, values))}" if column.type is ColumnType.TEXT else column.type.value.dtype)


def upload(count: int, *, start_us: int = START_US, step_us: int = 1_000_000, **columns: Sequence[float]) -> PointBatch:
    """A small flight of kind upload."""
    base: dict[str, Array] = {
        "time": start_us + np.arange(count, dtype=np.int64) * step_us,
        "lat": 45 + np.arange(count) / 1e4,
        "lon": 6 - np.arange(count) / 1e4,
    }
    own = {name: np.array(values, UPLOAD.by_name[name].type.value.dtype) for name, values in columns.items()}
    return PointBatch(UPLOAD, (Flight.of("upload", "task 3", "phone"),), np.zeros(count, np.int32), base | own)


def write(name: str, batch: PointBatch, size: int = 1_000) -> bytes:
    """The file of a flight that comes in pieces of so many points."""
    pieces = [batch.take(np.arange(start, min(start + size, len(batch)))) for start in range(0, len(batch), size)]
    survey = Survey()
    for piece in pieces:
        survey = survey.add(piece)
    return b"".join(written(WRITERS[name](About(batch.kind, batch.flights[0], survey)), pieces))


def read(name: str, data: bytes, count: int) -> TrackFile:
    """What pointq reads of it: everything, as that format."""
    track = parse(data, Hints(NOW_US))
    assert (track.format, track.records, len(track.rejects), len(track)) == (name, count, 0, count)
    return track


def same(batch: PointBatch, track: TrackFile, kind: Kind, *names: str) -> None:
    """Those columns are bit for bit what they were."""
    found = to_batch(track, kind)
    for name in names:
        np.testing.assert_array_equal(found.column(name), batch.column(name), err_msg=name)


KEY = ("time", "lat", "lon")


@settings(max_examples=50)  # four formats, twice each
@given(batches(), st.integers(1, 5))
def test_in_whatever_pieces_the_points_come_the_file_is_the_same(batch: PointBatch, size: int) -> None:
    for name in WRITERS:
        assert write(name, batch, size) == write(name, batch)


@given(batches(), st.integers(1, 5))
def test_geojson_keeps_every_column_that_its_reader_has(batch: PointBatch, size: int) -> None:
    track = read("geojson", write("geojson", batch, size), len(batch))
    kind = batch.kind

    if kind is SCORING:
        same(batch, track, kind, *KEY, "gps_alt", "speed")
    else:
        same(batch, track, kind, *(column.name for column in kind.columns))


@given(batches(tuple(kind for kind in KINDS.values() if kind is not SCORING)), st.integers(1, 5))
def test_csv_keeps_every_column_that_its_reader_has(batch: PointBatch, size: int) -> None:
    track = read("csv", write("csv", batch, size), len(batch))

    same(batch, track, batch.kind, *(column.name for column in batch.kind.columns if column.name != "uploaded_at"))


@given(batches(), st.integers(1, 5))
def test_csv_holds_all_columns_of_the_kind_for_any_reader(batch: PointBatch, size: int) -> None:
    header, *rows = csv.reader(io.StringIO(write("csv", batch, size).decode(), newline=""))

    assert header == [column.name for column in batch.kind.columns]
    for column, fields in zip(batch.kind.columns, zip(*rows, strict=True), strict=True):
        found = array(column, [field_value(column, field) for field in fields])
        expected = batch.column(column.name)
        # the reader of Python cannot tell NULL from an empty text
        expected = np.where(expected == b"\xff", b"", expected) if column.type is ColumnType.TEXT else expected
        np.testing.assert_array_equal(found, expected, err_msg=column.name)


def field_value(column: Column, field: str) -> Any:
    if column.type is ColumnType.TEXT:
        return field.encode()
    if not field:
        return column.type.value.null
    if column.type is ColumnType.TIME:
        return (datetime.fromisoformat(field) - EPOCH) // timedelta(microseconds=1)
    return {"true": 1, "false": 0}[field] if column.type is ColumnType.BOOL else float(field)


@given(batches(), st.integers(1, 5))
def test_gpx_keeps_position_time_altitude_speed_and_course(batch: PointBatch, size: int) -> None:
    track = read("gpx", write("gpx", batch, size), len(batch))
    kind = batch.kind

    same(batch, track, kind, *KEY)
    found = to_batch(track, kind)
    for name in {kind.altitude, "speed", "heading"} & set(kind.by_name):
        expected = batch.column(name)
        # numbers below 1e-30 are written as 0, and north as 0 alone
        expected = np.where(np.abs(expected) < 1e-30, 0, np.where((expected == 360) & (name == "heading"), 0, expected))
        np.testing.assert_array_equal(found.column(name), expected, err_msg=name)


@given(batches(), st.integers(1, 5))
def test_igc_keeps_time_and_position_and_whole_metres(batch: PointBatch, size: int) -> None:
    data = write("igc", batch, size)
    track = read("igc", data, len(batch))

    assert all(len(line) <= 76 for line in data.splitlines())
    np.testing.assert_array_equal(track.columns["time"], batch.time)
    for name in ("lat", "lon"):
        # 20 nm: the eighth further decimal of the minutes
        np.testing.assert_allclose(track.columns[name], batch.columns[name], rtol=0, atol=1e-13)
    whole_metres(track, "elevation", batch.column(batch.kind.altitude))
    pressure = {"flymaster": None, "scoring": "pressure_alt"}.get(batch.kind.name, "barometric_altitude")
    whole_metres(track, "barometric_altitude", batch.column(pressure) if pressure else np.full(len(batch), np.nan))
    if "valid" in batch.columns:
        known = batch.columns["valid"] >= 0
        np.testing.assert_array_equal(track.columns["valid"][known], batch.columns["valid"][known])


def whole_metres(track: TrackFile, name: str, stored: Array) -> None:
    """NULL where all fixes were NULL or 0, else rounded, and 0 for NULL."""
    expected = np.minimum(np.rint(np.nan_to_num(stored)), 99_999)
    found = track.columns.get(name, np.full(len(stored), np.nan))
    np.testing.assert_array_equal(found, expected if expected.any() else np.full(len(stored), np.nan), err_msg=name)


@given(st.lists(st.integers(-89 * 10**7, 89 * 10**7), min_size=2, max_size=20, unique=True))
def test_igc_keeps_the_seven_decimals_of_phones_bit_for_bit_in_three_digits(sevenths: list[int]) -> None:
    batch = upload(len(sevenths))
    lat = np.array(sevenths) / 1e7
    batch = PointBatch(batch.kind, batch.flights, batch.flight, {**batch.columns, "lat": lat})
    data = write("igc", batch)

    np.testing.assert_array_equal(read("igc", data, len(batch)).columns["lat"], lat)
    declared = next((line for line in data.splitlines() if line.startswith(b"I")), b"I00")
    assert declared in {b"I00", *(b"I0236%02dLAD%02d%02dLOD" % (35 + n, 36 + n, 35 + 2 * n) for n in (1, 2, 3))}


def test_igc_is_what_the_specification_shows() -> None:
    batch = upload(2, step_us=2_500_000, elevation=[1234.4, -12], barometric_altitude=[np.nan, np.nan], valid=[1, 0])

    assert write("igc", batch).decode().split("\r\n") == [
        "AXXXPTQ pointq",
        "HFDTEDATE:010724,01",
        "HFDTM100GPSDATUM:WGS-1984",
        "HFFTYFRTYPE:pointq",
        "I013636TDS",
        "LXXXpointq flight task 3",
        "LXXXpointq device phone",
        "B2359584500000N00600000EA00000012340",
        "HFDTEDATE:020724,01",
        "B0000004500006N00559994EV00000-00125",
        "",
    ]


def test_a_fix_without_altitude_among_others_is_two_dimensional() -> None:
    data = write("igc", upload(3, elevation=[100, np.nan, 102]))

    assert [line[24:35] for line in data.splitlines() if line.startswith(b"B")] == [
        b"A0000000100",
        b"V0000000000",
        b"A0000000102",
    ]


def test_geojson_has_one_line_with_times_and_columns_beside_it() -> None:
    batch = upload(3, elevation=[100.5, np.nan, 102], speed=[1, np.nan, 3], valid=[1, -1, 0])
    document = json.loads(write("geojson", batch, 2))

    assert document["type"] == "FeatureCollection"
    [feature] = document["features"]
    assert (feature["type"], feature["id"]) == ("Feature", str(batch.flights[0].uuid))
    assert feature["geometry"] == {
        "type": "LineString",
        "coordinates": [[6.0, 45.0, 100.5], [5.9999, 45.0001], [5.9998, 45.0002, 102.0]],
    }
    assert feature["properties"] == {
        "kind": "upload",
        "flight_uuid": str(batch.flights[0].uuid),
        "flight_id": "task 3",
        "device_id": "phone",
        "points": 3,
        "coordinateProperties": {
            "times": ["2024-07-01T23:59:58Z", "2024-07-01T23:59:59Z", "2024-07-02T00:00:00Z"],
            "speed": [1.0, None, 3.0],
            "valid": [True, None, False],
        },
    }


def test_one_point_is_no_line() -> None:
    [feature] = json.loads(write("geojson", upload(1, elevation=[7], speed=[2])))["features"]

    assert feature["geometry"] == {"type": "Point", "coordinates": [6.0, 45.0, 7.0]}
    assert feature["properties"]["time"] == "2024-07-01T23:59:58Z"
    assert feature["properties"]["speed"] == 2.0


@pytest.mark.parametrize("name", ['a <b> & "c"', "line\nbreak", "bell\a", "日本"])
def test_gpx_is_well_formed_and_in_the_order_of_its_schema(name: str) -> None:
    batch = upload(2, elevation=[100.5, np.nan], speed=[1, np.nan], heading=[360, np.nan], accuracy=[3, np.nan])
    batch = PointBatch(batch.kind, (Flight.of("upload", name),), batch.flight, batch.columns)
    root = ET.fromstring(write("gpx", batch))  # noqa: S314 - made by the writer

    assert root.tag == f"{GPX}gpx"
    first, second = root.iter(f"{GPX}trkpt")
    assert [child.tag.partition("}")[2] for child in first] == ["ele", "time", "extensions"]
    assert [child.tag.partition("}")[2] for child in second] == ["time"]
    garmin = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}"
    assert [(child.tag, child.text) for child in first.iter() if child.tag.startswith(garmin) and child.text] == [
        (f"{garmin}speed", "1.0"),
        (f"{garmin}course", "0.0"),
    ]
    assert first.findtext(".//{urn:pointq:points}accuracy") == "3.0"


def test_no_flight_id_can_break_a_line_of_igc() -> None:
    batch = upload(1)
    batch = PointBatch(
        batch.kind, (Flight.of("upload", "x\r\nB2359594500000N00600000EA0000001234é"),), batch.flight, batch.columns
    )

    assert len(read("igc", write("igc", batch), 1)) == 1


def test_null_and_an_empty_text_differ_in_csv() -> None:
    batch = upload(3)
    columns = {**batch.columns, "validity": np.array([b"\xff", b"", b'"A",'], "S4")}
    scoring = PointBatch(SCORING, batch.flights, batch.flight, columns)
    place = [column.name for column in SCORING.columns].index("validity")

    rows = write("csv", scoring).decode().splitlines()[1:]
    assert [row.split(",", place)[place].removesuffix("," * (len(SCORING.columns) - place - 1)) for row in rows] == [
        "",
        '""',
        '"""A"","',
    ]


def test_nulls_of_all_columns_are_written() -> None:
    for kind in KINDS.values():
        batch = upload(2)
        columns = {**batch.columns, **{column.name: nulls(column, 2) for column in kind.own_columns}}
        for name in WRITERS:
            read(name, write(name, PointBatch(kind, (Flight.of(kind.name, "x"),), batch.flight, columns)), 2)
