"""B records: time, position, validity, altitudes."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest

from pointq.formats.track import TrackFile

ParseIgc = Callable[..., TrackFile]

GOOD = "B1201054607407N00739259EA0123401250"


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def reasons(track: TrackFile) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in track.rejects]


def test_every_field_of_a_fix(igc: ParseIgc) -> None:
    track = igc(GOOD)
    values = {name: values.tolist() for name, values in track.columns.items()}
    assert values == {
        "time": [micros("2024-07-01T12:01:05")],
        "lat": [46 + 7.407 / 60],
        "lon": [7 + 39.259 / 60],
        "elevation": [1250.0],
        "barometric_altitude": [1234.0],
        "valid": [1],
    }
    assert (track.records, len(track.rejects), track.duplicates) == (1, 0, 0)


def test_types_of_the_columns(igc: ParseIgc) -> None:
    types = {name: values.dtype.str for name, values in igc(GOOD).columns.items()}
    assert types == {
        "time": "<i8",
        "lat": "<f8",
        "lon": "<f8",
        "elevation": "<f8",
        "barometric_altitude": "<f8",
        "valid": "|i1",
    }


def test_south_and_west_are_negative(igc: ParseIgc) -> None:
    track = igc("B1201053330500S07030250WA0123401250")
    assert track.columns["lat"].tolist() == [-33 - 30.5 / 60]
    assert track.columns["lon"].tolist() == [-70 - 30.25 / 60]


def test_zero_south_is_not_negative_zero(igc: ParseIgc) -> None:
    track = igc("B1201050000000S00739259EA0123401250")
    assert not np.signbit(track.columns["lat"]).any()


@pytest.mark.parametrize("minutes", range(0, 60_001, 997))
def test_coordinates_are_correctly_rounded(igc: ParseIgc, minutes: int) -> None:
    track = igc(f"B12010546{minutes:05}N007{minutes:05}EA0123401250")
    assert track.columns["lat"][0] == float(Fraction(46 * 60_000 + minutes, 60_000))
    assert track.columns["lon"][0] == float(Fraction(7 * 60_000 + minutes, 60_000))


def test_sixty_minutes_are_the_next_degree(igc: ParseIgc) -> None:
    assert igc("B1201054660000N00760000EA0123401250").columns["lat"].tolist() == [47.0]


@pytest.mark.parametrize("record", ["B1201059000000N18000000EA0123401250", "B1201059000000S18000000WA0123401250"])
def test_poles_and_date_line_are_positions(igc: ParseIgc, record: str) -> None:
    assert len(igc(record)) == 1


def test_a_2d_fix_is_kept_and_marked(igc: ParseIgc) -> None:
    track = igc(GOOD, "B1201064607407N00739259EV0123400000")
    assert track.columns["valid"].tolist() == [1, 0]
    assert track.columns["elevation"].tolist() == [1250.0, 0.0]


@pytest.mark.parametrize(
    ("pressure", "gnss", "expected"),
    [
        ("-0012", "00034", (-12.0, 34.0)),
        ("00012", "-0034", (12.0, -34.0)),
        ("-0000", "-1999", (0.0, -1999.0)),
        ("99999", "10000", (99_999.0, 10_000.0)),
    ],
)
def test_altitudes_below_zero_and_high_ones(igc: ParseIgc, pressure: str, gnss: str, expected: tuple[float, float]) -> None:
    columns = igc(f"B1201054607407N00739259EA{pressure}{gnss}", GOOD.replace("120105", "120106")).columns
    assert (columns["barometric_altitude"][0], columns["elevation"][0]) == expected


def test_an_impossible_altitude_costs_the_altitude_not_the_fix(igc: ParseIgc) -> None:
    track = igc(GOOD, "B1201064607407N00739259EA-999901250")
    assert np.isnan(track.columns["barometric_altitude"]).tolist() == [False, True]


@pytest.mark.parametrize(("gone", "left"), [("barometric_altitude", "elevation"), ("elevation", "barometric_altitude")])
def test_a_sensor_that_always_says_zero_is_not_there(igc: ParseIgc, gone: str, left: str) -> None:
    altitudes = "0000001250" if gone == "barometric_altitude" else "0125000000"
    track = igc(f"B1201054607407N00739259EA{altitudes}", f"B1201064607407N00739259EA{altitudes}")
    assert gone not in track.columns
    assert track.columns[left].tolist() == [1250.0, 1250.0]


def test_zero_among_other_altitudes_is_sea_level(igc: ParseIgc) -> None:
    track = igc("B1201054607407N00739259EA0000000000", "B1201064607407N00739259EA0000100001")
    assert track.columns["elevation"].tolist() == [0.0, 1.0]
    assert track.columns["barometric_altitude"].tolist() == [0.0, 1.0]


def test_only_accepted_fixes_decide_whether_there_is_a_sensor(igc: ParseIgc) -> None:
    track = igc(
        "B1201054607407N00739259EA0000001250", "B1201060000000N00000000EA0050001250", "B1201074607407N99939259EA0050000500"
    )
    assert (len(track), len(track.rejects)) == (1, 2)
    assert "barometric_altitude" not in track.columns


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ("B", "shorter"),
        ("B1201054607407N00739259EA012340125", "shorter"),
        ("B1201xx4607407N00739259EA0123401250", "HHMMSS"),
        ("B2401054607407N00739259EA0123401250", "HHMMSS"),
        ("B1260054607407N00739259EA0123401250", "HHMMSS"),
        ("B1201604607407N00739259EA0123401250", "HHMMSS"),
        ("B120105460740xN00739259EA0123401250", "latitude"),
        ("B1201054660001N00739259EA0123401250", "latitude"),
        ("B1201059000001N00739259EA0123401250", "latitude"),
        ("B1201054607407X00739259EA0123401250", "latitude"),
        ("B1201054607407N0073925 EA0123401250", "longitude"),
        ("B1201054607407N00760001EA0123401250", "longitude"),
        ("B1201054607407N18000001EA0123401250", "longitude"),
        ("B1201054607407N00739259NA0123401250", "longitude"),
        ("B1201054607407N00739259EB0123401250", "validity"),
        ("B1201054607407N00739259EA012-401250", "altitude"),
        ("B1201054607407N00739259EA01234+1250", "altitude"),
        ("B1201054607407N00739259EA-12a401250", "altitude"),
        ("B1201050000000N00000000EA0123401250", "exactly 0"),
        ("B1201050000000S00000000WV0123401250", "exactly 0"),
        (GOOD + GOOD, "merged"),
        (GOOD + "0123" + GOOD + "0123", "merged"),
    ],
)
def test_a_bad_record_is_reported_with_its_line_and_the_rest_is_good(igc: ParseIgc, record: str, word: str) -> None:
    track = igc(GOOD, record, GOOD.replace("120105", "120109"))
    [(line, reason)] = reasons(track)
    assert line == 4
    assert word in reason
    assert (track.records, len(track)) == (3, 2)


def test_the_leftmost_flaw_is_named(igc: ParseIgc) -> None:
    assert "HHMMSS" in reasons(igc("Bxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))[0][1]


def test_equal_time_and_position_is_one_fix_the_first(igc: ParseIgc) -> None:
    track = igc(
        GOOD,
        GOOD.replace("01250", "01260"),  # same key, other altitude
        GOOD.replace("4607407", "4607408"),  # same second, other place
        "B1201044607407N00739259EA0123401250",
        GOOD,
    )
    assert (track.records, len(track), track.duplicates) == (5, 3, 2)
    assert track.columns["elevation"].tolist() == [1250.0, 1250.0, 1250.0]
    assert (np.diff(track.columns["time"]) / 1e6).tolist() == [0, -1]


def test_repeats_are_found_between_other_fixes_of_the_same_second(igc: ParseIgc) -> None:
    elsewhere = [GOOD.replace("00739259", f"0073925{digit}") for digit in (8, 7)]
    track = igc(GOOD, *elsewhere, GOOD, *elsewhere, GOOD)
    assert (len(track), track.duplicates) == (3, 4)


def test_counts_by_reason(igc: ParseIgc) -> None:
    track = igc("B1", "B2", "B1201050000000N00000000EA0123401250", GOOD)
    assert list(track.rejects.counts().values()) == [2, 1]
    assert sum(track.rejects.counts().values()) == len(track.rejects) == 3
