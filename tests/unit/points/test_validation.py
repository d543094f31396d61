"""Validation: rule by rule, and against a plain reading of the rules point by point."""

import json
import math
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.points.batch import is_null
from pointq.points.kinds import FLYMASTER, KINDS, LIVE, SCORING, Column, ColumnType, Kind
from pointq.points.rejects import Reject
from pointq.points.slots import point_type
from pointq.points.times import NAT, parse_time
from pointq.points.validation import Validated, validate

_NOW = 1_719_835_200_000_000  # 2024-07-01T12:00:00Z
_DAY_US = 86_400_000_000
_POINT: dict[str, Any] = {"datetime": "2024-07-01T11:00:00Z", "lat": 46.5, "lon": 7.25}


def _check(kind: Kind, points: list[Any]) -> Validated:
    return validate(kind, points, now_us=_NOW)


def _value(field: str, value: object, kind: Kind = LIVE) -> object:
    """What becomes of a value among good points, as Python sees it; NULL is None."""
    point = {kind.time_json: _POINT["datetime"], "lat": 46.5, "lon": 7.25}
    validated = _check(kind, [point, {**point, field: value}, point])
    assert list(validated.rejects) == []
    column = next(column for column in kind.columns if column.json == field)
    if column.name not in validated.columns:
        return None
    values = validated.columns[column.name]
    assert values.dtype.kind == np.dtype(column.type.value.dtype).kind
    return None if is_null(column, values)[1] else values[1].item()


def _reason(field: str, value: object, kind: Kind = LIVE) -> str:
    """Why a point with that value is rejected, alone and in the midst of good points."""
    point = {kind.time_json: _POINT["datetime"], "lat": 46.5, "lon": 7.25}
    bad = {**point, field: value}
    [alone] = _check(kind, [bad]).rejects
    many = _check(kind, [point] * 30 + [bad] + [point] * 30)
    assert list(many.rejects) == [Reject(30, alone.field, alone.reason)]
    assert many.rows.tolist() == [i for i in range(61) if i != 30]
    assert all(len(values) == 60 for values in many.columns.values())
    assert alone.field == field
    assert alone.reason.isprintable()
    assert len(alone.reason) < 200
    return alone.reason


def test_a_plain_point() -> None:
    validated = _check(LIVE, [_POINT])
    assert {name: values.tolist() for name, values in validated.columns.items()} == {
        "time": [_NOW - 3_600_000_000],
        "lat": [46.5],
        "lon": [7.25],
    }
    assert validated.rows.tolist() == [0]
    assert list(validated.rejects) == []


def test_no_points() -> None:
    validated = _check(LIVE, [])
    assert {name: len(values) for name, values in validated.columns.items()} == {"time": 0, "lat": 0, "lon": 0}
    assert len(validated.rows) == 0
    assert list(validated.rejects) == []


@pytest.mark.parametrize("point", [None, [], "x", 7, 7.5, True])
def test_a_point_must_be_an_object(point: object) -> None:
    validated = _check(LIVE, [_POINT, point, _POINT])
    assert validated.rows.tolist() == [0, 2]
    [reject] = validated.rejects
    assert (reject.index, reject.field) == (1, "")
    assert reject.reason.startswith("a point must be a JSON object, found ")
    assert list(_check(LIVE, [point]).rejects) == [Reject(0, "", reject.reason)]


@pytest.mark.parametrize("field", ["datetime", "lat", "lon"])
def test_required_fields(field: str) -> None:
    without = {name: value for name, value in _POINT.items() if name != field}
    [absent] = _check(LIVE, [without]).rejects
    assert absent.field == field
    assert absent.reason.endswith(" is required, but missing")
    assert _reason(field, None) == absent.reason


def test_an_empty_object_lacks_the_time_first() -> None:
    assert list(_check(LIVE, [{}]).rejects) == [Reject(0, "datetime", "datetime is required, but missing")]


def test_the_time_has_the_name_that_the_kind_gives_it() -> None:
    [reject] = _check(SCORING, [{"lat": 46.5, "lon": 7.25, "time": "12:00:00"}]).rejects
    assert reject.field == "date_time"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("lat", 91, "latitude must be between -90 and 90 deg, found 91"),
        ("lat", -90.000001, "latitude must be between -90 and 90 deg, found -90.000001"),
        ("lon", 180.5, "longitude must be between -180 and 180 deg, found 180.5"),
        ("lat", "46.5", "latitude must be a number, found '46.5'"),
        ("lat", True, "latitude must be a number, found true"),
        ("lon", False, "longitude must be a number, found false"),
        ("lat", [46.5], "latitude must be a number, found a list"),
        ("lon", {}, "longitude must be a number, found an object"),
        ("lat", math.nan, "latitude must be between -90 and 90 deg, found nan"),
        ("lon", math.inf, "longitude must be between -180 and 180 deg, found inf"),
        ("lat", 2**64, "latitude must be between -90 and 90 deg, found an integer of 65 bits"),
        ("lat", 10**400, "latitude must be between -90 and 90 deg, found an integer of 1329 bits"),
        ("elevation", 100_001, "elevation must be between -2000 and 100000 m, found 100001"),
        ("elevation", "high", "elevation must be a number, found 'high'"),
        ("elevation", math.nan, "elevation must be between -2000 and 100000 m, found nan"),
        ("elevation", True, "elevation must be a number, found true"),
        ("speed", 1000.5, "speed must be between 0 and 1000 m/s, found 1000.5"),
        ("speed", -math.inf, "speed must be between 0 and 1000 m/s, found -inf"),
        ("speed", -(10**400), "speed must be between 0 and 1000 m/s, found an integer of 1329 bits"),
        ("heading", 360.1, "heading must be between 0 and 360 deg, found 360.1"),
        ("valid", 1, "valid must be true or false, found 1"),
        ("valid", "true", "valid must be true or false, found 'true'"),
        ("datetime", "2024-07-01T11:00:00", "time has no offset from UTC: '2024-07-01T11:00:00'; add Z or +02:00"),
        ("datetime", True, "not a time: expected ISO 8601 text or Unix seconds, found true"),
        ("datetime", "1979-12-31T23:59:59Z", "time is before 1980, when there was no GPS: '1979-12-31T23:59:59Z'"),
        ("datetime", 0, "time is before 1980, when there was no GPS: 0"),
        (
            "datetime",
            "2000-01-01T00:00:00Z",
            "time is on 2000-01-01, where a receiver's clock stands until it has seen a satellite: '2000-01-01T00:00:00Z'",
        ),
        (
            "datetime",
            946_771_199.999,
            "time is on 2000-01-01, where a receiver's clock stands until it has seen a satellite: 946771199.999",
        ),
        (
            "datetime",
            "2024-07-02T12:00:00.000001Z",
            "time is more than 24 h ahead of the server's clock: '2024-07-02T12:00:00.000001Z'",
        ),
    ],
)
def test_rejects(field: str, value: object, reason: str) -> None:
    assert _reason(field, value) == reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("lad", 1.5, "lad must be a whole number, found 1.5"),
        ("lad", 2**31, "lad must be between -2147483647 and 2147483647, found 2147483648"),
        ("lod", -(2**31), "lod must be between -2147483647 and 2147483647, found -2147483648"),
        ("lod", math.inf, "lod must be between -2147483647 and 2147483647, found inf"),
        ("lad", "7", "lad must be a number, found '7'"),
        ("validity", 7, "validity must be a text, found 7"),
        ("validity", True, "validity must be a text, found true"),
        ("validity", "A\0", "validity must be text without NUL and without halves of surrogate pairs, found 'A\\x00'"),
        ("time", "\udcff", "time must be text without NUL and without halves of surrogate pairs, found '\\udcff'"),
        ("time", "é" * 33, f"time must be at most 64 bytes of UTF-8, found 66: '{'é' * 33}'"),
        ("rounded_time", "12:00", "not a time: expected ISO 8601 with an offset from UTC, found '12:00'"),
        ("in_flight", 0, "in_flight must be true or false, found 0"),
    ],
)
def test_rejects_in_scoring_points(field: str, value: object, reason: str) -> None:
    assert _reason(field, value, SCORING) == reason


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (0.0, -0.0), (-0.0, 0)])
def test_nowhere_is_not_a_position(lat: float, lon: float) -> None:
    [reject] = _check(LIVE, [{**_POINT, "lat": lat, "lon": lon}]).rejects
    assert reject == Reject(0, "lat", "latitude and longitude are both 0: the receiver had no position")


def test_the_equator_and_the_meridian_are_places() -> None:
    assert list(_check(LIVE, [{**_POINT, "lat": 0}, {**_POINT, "lon": 0}]).rejects) == []


def test_the_first_wrong_field_in_the_order_of_the_columns_is_reported() -> None:
    [reject] = _check(LIVE, [{**_POINT, "speed": "x", "lon": 200, "valid": 7}]).rejects
    assert reject.field == "lon"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("elevation", None, None),
        ("elevation", -430, -430.0),
        ("elevation", 0, 0.0),
        ("elevation", 1, 1.0),
        ("elevation", 1234.5678901234567, 1234.5678901234567),
        ("speed", -1, None),
        ("speed", -1e300, None),
        ("speed", 0, 0.0),
        ("heading", -1.0, None),
        ("heading", 360, 360.0),
        ("accuracy", -0.5, None),
        ("valid", True, 1),
        ("valid", False, 0),
        ("valid", None, None),
        ("lat", 90, 90.0),
        ("lon", -180, -180.0),
        ("datetime", "2024-07-02T12:00:00Z", _NOW + _DAY_US),
        ("datetime", "1980-01-01T00:00:00Z", 315_532_800_000_000),
        ("datetime", "1999-12-31T23:59:59Z", 946_684_799_000_000),
        ("datetime", "2000-01-02T00:00:00Z", 946_771_200_000_000),
    ],
)
def test_accepts(field: str, value: object, expected: object) -> None:
    assert _value(field, value) == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("lad", 7, 7),
        ("lad", 7.0, 7),
        ("lad", 0, 0),
        ("lad", -(2**31) + 1, -(2**31) + 1),
        ("lod", 2**31 - 1, 2**31 - 1),
        ("lod", None, None),
        ("validity", "A", b"A"),
        ("validity", "", b""),
        ("validity", None, None),
        ("time", "12:00:00 ✈", "12:00:00 ✈".encode()),
        ("time", "x" * 64, b"x" * 64),
        ("rounded_time", 1_719_835_200.5, _NOW + 500_000),
        ("rounded_time", 0, 0),
        ("rounded_time", None, None),
    ],
)
def test_accepts_in_scoring_points(field: str, value: object, expected: object) -> None:
    assert _value(field, value, SCORING) == expected


def test_negative_zero_stays() -> None:
    [speed] = _check(LIVE, [{**_POINT, "speed": -0.0}]).columns["speed"].tolist()
    assert math.copysign(1, speed) == -1


def test_columns_without_a_value_are_left_out() -> None:
    assert list(_check(LIVE, [{**_POINT, "speed": None, "heading": -1, "valid": None}]).columns) == ["time", "lat", "lon"]
    only_in_bad = [{**_POINT, "elevation": 5, "lat": 99}, _POINT]
    assert list(_check(LIVE, only_in_bad).columns) == ["time", "lat", "lon"]


def test_unknown_fields_are_ignored() -> None:
    assert list(_check(LIVE, [{**_POINT, "battery": {"level": [1]}, "": None}]).rejects) == []


def test_empty_text_is_not_null_among_nulls() -> None:
    point = {"date_time": _POINT["datetime"], "lat": 1, "lon": 2}
    points = [{**point, "validity": value} for value in ("", None, "A", "")] + [point]
    assert _check(SCORING, points).columns["validity"].tolist() == [b"", b"\xff", b"A", b"", b"\xff"]


def test_points_of_several_shapes_together() -> None:
    points = [
        _POINT,
        {**_POINT, "elevation": 5},
        {"lon": 1, "datetime": 1_719_835_200, "lat": 2},
        {**_POINT, "elevation": None, "valid": True},
        "no point",
        {**_POINT, "datetime": None},
    ]
    validated = _check(LIVE, points)
    assert validated.rows.tolist() == [0, 1, 2, 3]
    assert [reject.index for reject in validated.rejects] == [4, 5]
    assert validated.columns["valid"].tolist() == [-1, -1, -1, 1]
    elevation = validated.columns["elevation"]
    assert elevation[1] == 5
    assert np.isnan(elevation[[0, 2, 3]]).all()


def test_all_bad() -> None:
    validated = _check(FLYMASTER, [{}, [], {"lat": 1}])
    assert [reject.index for reject in validated.rejects] == [0, 1, 2]
    assert {name: len(values) for name, values in validated.columns.items()} == {"time": 0, "lat": 0, "lon": 0}
    assert len(validated.rows) == 0


# --- The rules once more, point by point ------------------------------------------------------------------------------


def _plain_number(column: Column, value: Any) -> tuple[bool, Any]:
    assert column.minimum is not None
    assert column.maximum is not None
    if type(value) not in (int, float):
        return False, None
    if column.negative_is_unknown and -math.inf < value < 0 and value >= -1.7976931348623157e308:
        return True, None
    if not column.minimum <= value <= column.maximum:
        return False, None
    return column.type is ColumnType.FLOAT or value == int(value), value


def _plain_text(column: Column, value: Any) -> tuple[bool, Any]:
    if not isinstance(value, str):
        return False, None
    encoded = value.encode("utf-8", "surrogatepass")
    is_text = "\0" not in value and encoded.decode("utf-8", "replace") == value
    return is_text and len(encoded) <= column.max_bytes, encoded


def _plain_value(column: Column, value: Any) -> tuple[bool, Any]:
    """Whether that is good, and what it is stored as; None is NULL."""
    if value is None:
        return not column.required, None
    if column.type in (ColumnType.FLOAT, ColumnType.INT):
        return _plain_number(column, value)
    if column.type is ColumnType.BOOL:
        return type(value) is bool, value
    if column.type is ColumnType.TEXT:
        return _plain_text(column, value)
    time = parse_time(value)
    if not column.required:
        return time != NAT, time
    return 315_532_800_000_000 <= time <= _NOW + _DAY_US and time // _DAY_US != 10_957, time


def _plain(kind: Kind, point: Any) -> tuple[str | None, dict[str, Any]]:
    """The field that is wrong, or None and the stored values."""
    if type(point) is not dict:
        return "", {}
    row = {}
    for column in kind.columns:
        good, row[column.name] = _plain_value(column, point.get(column.json))
        if column.name == "lat" and point.get("lat") == 0 and point.get("lon") == 0:
            good = good and not all(type(point[name]) in (int, float) for name in ("lat", "lon"))
        if not good:
            return column.json, {}
    return None, row


_NUMBERS = st.one_of(
    st.integers(-100, 400),
    st.floats(-100, 400),
    st.sampled_from([0, 0.0, -0.0, 1, 1.0, 2**64 - 1, -1]),
    st.floats(),
    st.integers(),
)
_GOOD: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.FLOAT: st.one_of(st.floats(0, 90), st.integers(0, 90)),
    ColumnType.INT: st.one_of(st.integers(-(2**31) + 1, 2**31 - 1), st.just(5.0)),
    ColumnType.BOOL: st.booleans(),
    ColumnType.TEXT: st.text(max_size=16),
    ColumnType.TIME: st.one_of(st.integers(946_771_200, 1_719_900_000), st.just("2024-06-30T10:00:00.25+02:00")),
}
_WRONG = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    st.text(max_size=70),
    st.just([]),
    st.just({}),
    st.sampled_from(["\0", "\ud800", "", "é" * 33]),
)


@st.composite
def _points(draw: st.DrawFn, kind: Kind) -> list[Any]:
    """Points of which most are good, many of one shape."""
    shape = draw(st.sets(st.sampled_from([column.json for column in kind.columns if not column.required])))
    points: list[Any] = []
    for _ in range(draw(st.integers(1, 8))):
        point = {c.json: draw(_GOOD[c.type]) for c in kind.columns if c.required or c.json in shape}
        for column in draw(st.lists(st.sampled_from(kind.columns), max_size=2)):
            point[column.json] = draw(_WRONG)
        for column in draw(st.lists(st.sampled_from(kind.columns), max_size=1)):
            point.pop(column.json, None)
        points.append(draw(st.sampled_from([point] * 15 + [None, [], "x", {}])))
    return points


def _stored(kind: Kind, validated: Validated) -> list[dict[str, Any]]:
    """The columns turned back into rows."""
    rows: list[dict[str, Any]] = [{} for _ in validated.rows]
    for column in kind.columns:
        values = validated.columns.get(column.name)
        missing = [True] * len(rows) if values is None else is_null(column, values).tolist()
        for row, is_missing, value in zip(
            rows, missing, [None] * len(rows) if values is None else values.tolist(), strict=True
        ):
            row[column.name] = None if is_missing else value
    return rows


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("repeat", [1, 20])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_equals_the_rules_read_point_by_point(kind: Kind, repeat: int, data: st.DataObject) -> None:
    points = data.draw(_points(kind)) * repeat
    expected = [_plain(kind, point) for point in points]
    validated = _check(kind, points)
    assert [(reject.index, reject.field) for reject in validated.rejects] == [
        (index, field) for index, (field, _) in enumerate(expected) if field is not None
    ]
    assert all(reject.reason.isprintable() for reject in validated.rejects)
    assert validated.rows.tolist() == [index for index, (field, _) in enumerate(expected) if field is None]
    assert repr(_stored(kind, validated)) == repr(
        [
            {name: _as_stored(kind.by_name[name], value) for name, value in row.items()}
            for field, row in expected
            if field is None
        ]
    )


def _as_stored(column: Column, value: Any) -> Any:
    if value is None:
        return None
    return {ColumnType.FLOAT: float, ColumnType.INT: int, ColumnType.BOOL: int}.get(column.type, lambda same: same)(value)


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["lat", "lon", "datetime", "speed"]), inner)
    ),
    max_leaves=12,
)


@given(st.lists(_JSON))
@settings(max_examples=100, deadline=None)
def test_any_json_is_accepted_or_rejected(points: list[Any]) -> None:
    decoded = orjson.loads(json.dumps(points).encode("utf-8"))
    validated = _check(LIVE, decoded)
    assert len(validated.rows) + len(validated.rejects) == len(points)


def _slots(kind: Kind, point: Any) -> Any:
    """The same point with slots, where it fits into them."""
    try:
        return msgspec.convert(point, point_type(kind))
    except msgspec.ValidationError:
        return point


def _same(kind: Kind, some: list[Any], others: list[Any]) -> None:
    one, other = _check(kind, some), _check(kind, others)
    assert list(one.rejects) == list(other.rejects)
    assert one.rows.tolist() == other.rows.tolist()
    assert list(one.columns) == list(other.columns)
    for name, values in one.columns.items():
        assert values.tobytes() == other.columns[name].tobytes()


_LIKELY = st.fixed_dictionaries(
    {
        "datetime": st.sampled_from(["2024-07-01T11:00:00Z", "2024-07-01", 1_719_835_000]),
        "lat": st.floats(-91, 91),
        "lon": st.just(7),
    },
    optional={
        "elevation": st.none() | st.integers(-3_000, 9_000) | st.floats(-3_000, 9_000),
        "speed": st.none() | st.floats(-2, 2_000),
        "valid": st.none() | st.booleans(),
    },
)


@given(st.lists(st.tuples(_LIKELY | _JSON, st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_points_with_slots_are_judged_as_dicts_are(drawn: list[tuple[Any, bool]]) -> None:
    """All with slots, none, and both sorts mixed."""
    points = [point for point, _ in drawn]
    _same(LIVE, points, [_slots(LIVE, point) for point in points])
    _same(LIVE, points, [_slots(LIVE, point) if has_slots else point for point, has_slots in drawn])


def test_texts_and_integers_with_slots() -> None:
    points = [
        {"date_time": "2024-07-01T11:00:00Z", "lat": 46, "lon": 7, "validity": "A", "lad": 3, "time": "11:00:00"},
        {"date_time": "2024-07-01T11:00:01Z", "lat": 46, "lon": 7, "validity": None, "lad": 3.5, "in_flight": True},
        {"date_time": "2024-07-01T11:00:02Z", "lat": 46, "lon": 7, "validity": "x" * 100, "lod": 2},
    ]
    with_slots = [_slots(SCORING, point) for point in points]
    assert not any(isinstance(point, dict) for point in with_slots)
    _same(SCORING, points, with_slots)
