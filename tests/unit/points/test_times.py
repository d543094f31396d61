"""Times: every layout, every rule, and agreement with the standard library."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.points.times import NAT, explain_time, parse_time, parse_times

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = 1_719_835_200_000_000  # 2024-07-01T12:00:00Z
_MANY = 100  # above the count up to which values go one by one


def _micros(text: str) -> int:
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(microseconds=1)


def _both_ways(value: object) -> int:
    """One value alone and among equals must give the same."""
    alone = parse_time(value)
    assert parse_times([value]).tolist() == [alone]
    assert parse_times([value] * _MANY).tolist() == [alone] * _MANY
    return alone


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-07-01T12:00:00Z", _NOON),
        ("2024-07-01 12:00:00z", _NOON),
        ("2024-07-01t12:00:00+00:00", _NOON),
        ("2024-07-01T14:00:00+02:00", _NOON),
        ("2024-07-01T14:00:00+0200", _NOON),
        ("2024-07-01T14:00:00+02", _NOON),
        ("2024-07-01T06:30:00-05:30", _NOON),
        ("2024-07-01T06:30:00-0530", _NOON),
        ("2024-07-01T12:00Z", _NOON),
        ("2024-07-01T14:00+02:00", _NOON),
        ("2024-07-01T12:00:00.5Z", _NOON + 500_000),
        ("2024-07-01T12:00:00,25Z", _NOON + 250_000),
        ("2024-07-01T12:00:00.123456Z", _NOON + 123_456),
        ("2024-07-01T12:00:00.123456999+00:00", _NOON + 123_456),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ("0001-01-01T00:00:00+23:59", -62_135_596_800_000_000 - 86_340_000_000),
        (1_719_835_200, _NOON),
        (1_719_835_200.25, _NOON + 250_000),
        (1_719_835_200.0000004, _NOON),
        (-1, -1_000_000),
        (-0.5, -500_000),
        (0, 0),
        (253_402_300_799, 253_402_300_799_000_000),
        (-62_135_596_800, -62_135_596_800_000_000),
    ],
)
def test_reads(value: object, expected: int) -> None:
    assert _both_ways(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2024-07-01T12:00:00",
        "2024-07-01",
        "2024-07-01T12:00:60Z",
        "2024-07-01T12:60:00Z",
        "2024-07-01T24:00:00Z",
        "2024-07-01T25:00:00Z",
        "2024-00-01T12:00:00Z",
        "2024-13-01T12:00:00Z",
        "2024-07-00T12:00:00Z",
        "2024-06-31T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "0000-01-01T12:00:00Z",
        "2024-07-01T12:00:00+24:00",
        "2024-07-01T12:00:00+02:60",
        "2024-07-01T12:00:00.Z",
        "2024-07-01T12:00:00.1234567890Z",
        "2024-07-01T12:00:00 Z",
        " 2024-07-01T12:00:00Z",
        "2024-07-01T12:00:00Z\n",
        "\n2024-07-01T12:00:00Z",
        "2024-07-01_12:00:00Z",
        "2024/07/01T12:00:00Z",
        "20240701T120000Z",
        "2024-W27-1T12:00:00Z",
        "+024-07-01T12:00:00Z",
        "2024-07-0\N{ARABIC-INDIC DIGIT ONE}T12:00:00Z",
        "\N{FULLWIDTH DIGIT TWO}024-07-01T12:00:00Z",
        "2024-07-01T12:00:0?Z",
        "2024-07-01T12:00:00\ud800",
        "",
        "Z",
        "now",
        None,
        True,
        False,
        [],
        {},
        b"2024-07-01T12:00:00Z",
        math.nan,
        math.inf,
        -math.inf,
        1e300,
        10**400,
        -(10**400),
        2**63,
        253_402_300_800,
        -62_135_596_801,
        1_719_835_200_000_000,
    ],
)
def test_refuses(value: object) -> None:
    assert _both_ways(value) == NAT
    assert 0 < len(explain_time(value)) < 160
    assert explain_time(value).isprintable()


def test_says_what_is_wrong() -> None:
    assert explain_time("2024-07-01T12:00:00") == ("time has no offset from UTC: '2024-07-01T12:00:00'; add Z or +02:00")
    assert explain_time("noon") == "not a time: expected ISO 8601 with an offset from UTC, found 'noon'"
    assert explain_time("2024-02-30T12:00:00Z") == (
        "not a time: no such date, time of day or offset, found '2024-02-30T12:00:00Z'"
    )
    assert explain_time(1e12) == "not a time: Unix seconds must be within the years 1 to 9999, found 1000000000000.0"
    assert explain_time(None) == "not a time: expected ISO 8601 text or Unix seconds, found null"
    assert explain_time("x" * 10_000) == f"not a time: expected ISO 8601 with an offset from UTC, found '{'x' * 40}'…"


def test_nothing_is_no_times() -> None:
    assert parse_times([]).tolist() == []


def test_a_value_shifted_over_a_line_feed_is_not_completed_by_its_neighbour() -> None:
    values = ["2024-07-01T12:00:00", "\n2024-07-01T12:00:00Z"] * _MANY
    assert parse_times(values).tolist() == [NAT] * len(values)


def test_a_broken_first_value_does_not_spoil_the_rest() -> None:
    values = ["2024-07-01T12:00:0xZ", *["2024-07-01T12:00:00Z"] * _MANY]
    assert parse_times(values).tolist() == [NAT, *[_NOON] * _MANY]


def test_more_layouts_of_one_length_than_are_tried_together() -> None:
    layouts = [
        "2024-07-01T12:00:00.0000Z",
        "2024-07-01t12:00:00.0000Z",
        "2024-07-01 12:00:00.0000Z",
        "2024-07-01T12:00:00,0000Z",
        "2024-07-01T14:00:00+02:00",
        "2024-07-01T10:00:00-02:00",
        "2024-07-01T14:00:00.00+02",
        "2024-07-01T12:00:00.0000z",
    ]
    assert {len(layout) for layout in layouts} == {25}
    assert parse_times(layouts * _MANY).tolist() == [_NOON] * (len(layouts) * _MANY)


_OFFSETS = st.sampled_from(["Z", "z", "+00:00", "+02:00", "-0530", "+05:45", "-11", "+14:00", "-23:59", "+2359"])
_FRACTIONS = st.one_of(st.just(""), st.from_regex(r"[.,][0-9]{1,9}", fullmatch=True))
_SEPARATORS = st.sampled_from("Tt ")


@st.composite
def _iso(draw: st.DrawFn) -> str:
    moment = draw(st.datetimes())
    date, time = moment.strftime("%m-%d"), moment.strftime("%H:%M:%S")
    return f"{moment.year:04}-{date}{draw(_SEPARATORS)}{time}{draw(_FRACTIONS)}{draw(_OFFSETS)}"


@given(st.lists(_iso(), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_standard_library(texts: list[str]) -> None:
    expected = [_micros(text) for text in texts]
    assert parse_times(texts).tolist() == expected
    assert parse_times(texts * 20).tolist() == expected * 20


@given(
    st.lists(
        st.tuples(st.sampled_from(["2024-02-29", "2023-02-29", "2024-03-01", "1969-12-31"]), st.integers(1, 400)), max_size=6
    )
)
@settings(deadline=None)
def test_runs_of_one_date_after_another(runs: list[tuple[str, int]]) -> None:
    """Several flights in one batch, each on its own day; one of the days is none."""
    texts = [f"{date}T12:{second // 60:02}:{second % 60:02}Z" for date, count in runs for second in range(count)]
    assert parse_times(texts).tolist() == [parse_time(text) for text in texts]


@given(st.datetimes(), _SEPARATORS, _FRACTIONS, _OFFSETS)
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_standard_library_on_one_layout(first: datetime, separator: str, fraction: str, offset: str) -> None:
    moments = [first.replace(day=1 + i % 28, hour=i % 24, month=1 + i % 12) for i in range(_MANY)]
    texts = [f"{moment.year:04}-{moment:%m-%d}{separator}{moment:%H:%M:%S}{fraction}{offset}" for moment in moments]
    assert parse_times(texts).tolist() == [_micros(text) for text in texts]


@given(st.lists(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}", fullmatch=True)))
@settings(max_examples=100, deadline=None)
def test_many_and_one_by_one_agree_on_any_digits(texts: list[str]) -> None:
    assert parse_times(texts * 60).tolist() == [parse_time(text) for text in texts] * 60


_ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    _iso(),
    st.integers(0, 2**33),
    st.floats(0, 2**33),
)


@given(st.lists(_ANY, min_size=1))
@settings(max_examples=150, deadline=None)
def test_many_and_one_by_one_agree_on_anything(values: list[object]) -> None:
    expected = [parse_time(value) for value in values]
    assert parse_times(values).tolist() == expected
    many = parse_times(values * 60)
    assert many.dtype == np.int64
    assert many.tolist() == expected * 60
