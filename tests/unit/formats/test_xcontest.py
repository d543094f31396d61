"""Live data of XContest: tracks whose times add up, and where users are."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.track import Part, TrackFile
from pointq.formats.xcontest import parse_xcontest

START_US = 1_649_081_971_000_000
"""2022-04-04T14:19:31Z."""

Flight = Callable[..., TrackFile]
Users = Callable[[object], TrackFile]


@pytest.fixture
def flight(now_us: int) -> Flight:
    """Parse a track of those positions."""

    def parse(*positions: object, first: object = "2022-04-04T14:19:31Z") -> TrackFile:
        geometry = {"type": "Linestring", "coordinates": positions}
        document = {"flight": {"type": "Feature", "geometry": geometry, "properties": {"firstFixTime": first}}}
        return parse_xcontest(json.dumps(document).encode(), now_us=now_us)

    return parse


@pytest.fixture
def users(now_us: int) -> Users:
    return lambda document: parse_xcontest(json.dumps({"users": document}).encode(), now_us=now_us)


def at(dt: Any = None, lon: float = 7.5) -> list[Any]:
    return [lon, 46.5, 210] if dt is None else [lon, 46.5, 210, {"dt": dt}]


def seconds(track: TrackFile) -> list[float]:
    times: list[float] = ((track.columns["time"] - START_US) / 1e6).tolist()
    return times


def test_the_sample_of_a_track(other_sample: Callable[[str], bytes], now_us: int) -> None:
    track = parse_xcontest(other_sample("xcontest-live-track.json"), now_us=now_us)
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": [START_US, START_US + 1_000_000, START_US + 2_000_000],
        "lat": [46.154038] * 3,
        "lon": [7.602978] * 3,
        "elevation": [210.0, 211.0, 212.0],
        "barometric_altitude": [201.0] * 3,
    }
    assert (track.format, track.records, track.parts) == ("xcontest", 3, (Part(0, None),))


def test_the_sample_of_users(other_sample: Callable[[str], bytes], now_us: int) -> None:
    track = parse_xcontest(other_sample("xcontest-live-users.json"), now_us=now_us)
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": [1_649_089_840_000_000],
        "lat": [46.154038],
        "lon": [7.602978],
        "elevation": [210.0],
        "barometric_altitude": [201.0],
    }
    assert (track.records, track.parts) == (1, (Part(0, "user-id-1"),))


def test_a_step_is_a_second_unless_it_is_given(flight: Flight) -> None:
    assert seconds(flight(at(0), at(), at(5), [7.5, 46.5, 1, {}], [7.5, 46.5, 1, None], at(0.25))) == [0, 1, 6, 7, 8, 8.25]


def test_the_first_fix_is_at_the_first_time_unless_it_says_otherwise(flight: Flight) -> None:
    assert seconds(flight(at(), at())) == [0, 1]
    assert seconds(flight(at(3), at())) == [3, 4]


def test_a_step_back_is_possible(flight: Flight) -> None:
    assert seconds(flight(at(10), at(-4))) == [10, 6]


@pytest.mark.parametrize("dt", [True, "5", [], {}, 1e300, 100_001, -100_001])
def test_after_a_bad_step_no_time_is_known(flight: Flight, dt: object) -> None:
    track = flight(at(0), at(dt), at(), at(1))
    assert seconds(track) == [0]
    assert [(reject.place, reject.reason) for reject in track.rejects] == [
        ("record 2", Flaw.TIME_STEP.text),
        ("record 3", Flaw.TIME_LOST.text),
        ("record 4", Flaw.TIME_LOST.text),
    ]


@pytest.mark.parametrize("fourth", [5, "5", [5], True])
def test_a_fourth_element_that_is_no_object_is_a_bad_step(flight: Flight, fourth: object) -> None:
    assert [reject.reason for reject in flight([7.5, 46.5, 1, fourth]).rejects] == [Flaw.TIME_STEP.text]


@pytest.mark.parametrize("position", [None, 5, "x", {}])
def test_what_is_no_position_has_no_step_either(flight: Flight, position: object) -> None:
    assert [reject.reason for reject in flight(position, at()).rejects] == [Flaw.NO_LIST.text, Flaw.TIME_LOST.text]


@pytest.mark.parametrize(
    ("position", "flaw"),
    [
        ([], Flaw.NO_POSITION),
        ([7.5], Flaw.NO_POSITION),
        ([7.5, None, 1], Flaw.NO_POSITION),
        ([7.5, "46", 1], Flaw.NO_POSITION),
        ([True, 46, 1], Flaw.NO_POSITION),
        ([0, 0, 1], Flaw.NULL_ISLAND),
        ([7.5, 91, 1], Flaw.LATITUDE_RANGE),
        ([1e308, 46, 1], Flaw.LONGITUDE_RANGE),
    ],
)
def test_a_bad_position_costs_its_own_fix_and_its_second_counts(flight: Flight, position: list[Any], flaw: Flaw) -> None:
    track = flight(at(0), position, at())
    assert [(reject.place, reject.reason) for reject in track.rejects] == [("record 2", flaw.text)]
    assert seconds(track) == [0, 2]


def test_altitudes_that_are_none_are_null(flight: Flight) -> None:
    track = flight([7, 46, 5, {"b": 6}], [7, 46], [7, 46, "5", {"b": "6"}], [7, 46, None, {"b": True}], [7, 46, 1e9, {"b": []}])
    assert np.isnan(track.columns["elevation"]).tolist() == [False, True, True, True, True]
    assert np.isnan(track.columns["barometric_altitude"]).tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("first", [None, "yesterday", "2022-04-04T14:19:31", True, []])
def test_a_track_must_say_when_it_began(flight: Flight, first: object) -> None:
    with pytest.raises(FormatError, match=r"flight\.properties\.firstFixTime: (not a time|time has no offset)"):
        flight(at(), first=first)
    assert len(flight(first=first)) == 0


def test_users_that_are_nowhere_and_users_that_are_somewhere(users: Users) -> None:
    def user(*position: object) -> dict[str, Any]:
        return {"lastLoc": {"geometry": {"coordinates": position}}}

    track = users(
        {
            "a": {"lastLoc": None},
            "b": user(7, 46, 5, {"t": "2022-04-04T16:30:40Z"}),
            "c": {},
            "d": user(7, 46, 5),
            "e": user(7, 46, 5, {"t": "2022-04-04"}),
            "f": user(7, 46, 5, {"t": "2022-04-04T16:30:40+02:00", "b": 7}),
            "g": {"lastLoc": {"geometry": {"coordinates": None}}},
        }
    )
    assert track.parts == (Part(0, "b"), Part(1, "f"))
    assert [(reject.line, reject.reason) for reject in track.rejects] == [
        (1, Flaw.NO_LOCATION.text),
        (3, Flaw.NO_LOCATION.text),
        (4, Flaw.NO_TIME.text),
        (5, Flaw.TIME_FORM.text),
        (7, Flaw.NO_LOCATION.text),
    ]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "not JSON"),
        (b"{}", "expected an object with flight or users, found neither"),
        (b'{"flight": null}', "flight: expected an object, found null"),
        (b'{"flight": {}}', r"flight\.geometry: expected an object, found null"),
        (b'{"flight": {"geometry": {"coordinates": {}}}}', r"flight\.geometry\.coordinates: expected a list, found an object"),
        (b'{"flight": {"geometry": {"coordinates": []}, "properties": 1}}', r"flight\.properties: expected an object, found 1"),
        (b'{"users": []}', "users: expected an object, found a list"),
        (b'{"users": {"x": 1}}', r"users\['x'\]: expected an object, found 1"),
        (b'{"users": {"x": {"lastLoc": 1}}}', r"users\['x'\]\.lastLoc: expected an object, found 1"),
        (b'{"users": {"x": {"lastLoc": {}}}}', r"users\['x'\]\.lastLoc\.geometry: expected an object, found null"),
    ],
)
def test_another_shape_is_an_error_that_says_where(document: bytes, message: str, now_us: int) -> None:
    with pytest.raises(FormatError, match=message):
        parse_xcontest(document, now_us=now_us)


def test_no_sum_of_steps_overflows(flight: Flight) -> None:
    track = flight(*[at(100_000)] * 10_000)
    assert len(track) + len(track.rejects) == 10_000
    assert [reject.reason for reject in track.rejects][-1] == Flaw.FUTURE.text
