"""JSON of the Flymaster live server."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.flymaster_live import parse_flymaster_live
from pointq.formats.track import Part, TrackFile

GOOD = {"d": 1_615_411_121, "ai": "2850474", "oi": "-7319830", "h": "846", "c": "841", "s": "493", "b": "36", "v": "31"}

Parse = Callable[..., TrackFile]


@pytest.fixture
def parse(now_us: int) -> Parse:
    """Parse rows of one instrument, or a whole document."""

    def parse(*rows: object, document: object = None) -> TrackFile:
        data = document if isinstance(document, bytes) else json.dumps(document or {"5518": rows}).encode()
        return parse_flymaster_live(data, now_us=now_us)

    return parse


def test_the_sample(other_sample: Callable[[str], bytes], now_us: int) -> None:
    track = parse_flymaster_live(other_sample("flymaster-livedata.json"), now_us=now_us)
    assert (len(track), track.records, track.parts, track.serial) == (100, 100, (Part(0, "5518"),), "5518")
    assert {name: values[0] for name, values in track.columns.items()} == {
        "time": 1_615_411_121_000_000,
        "lat": 2_850_474 / 60_000,
        "lon": -7_319_830 / 60_000,
        "elevation": 846.0,
        "barometric_altitude": 841.0,
        "speed": 31 / 3.6,
        "heading": 36.0,
    }
    assert np.diff(track.columns["time"]).min() >= 1_000_000


def test_numbers_may_be_numbers(parse: Parse) -> None:
    written, numeric = parse(GOOD), parse({key: float(str(value)) for key, value in GOOD.items()})
    mixed = parse(GOOD, {**GOOD, "d": str(GOOD["d"]), "ai": 2_850_475, "b": 36.0})
    for name, values in written.columns.items():
        assert values.tolist() == numeric.columns[name].tolist() == mixed.columns[name][:1].tolist()
    assert mixed.columns["lat"].tolist() == [2_850_474 / 60_000, 2_850_475 / 60_000]


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"ai": None}, Flaw.NO_POSITION),
        ({"ai": True}, Flaw.NO_POSITION),
        ({"ai": "north"}, Flaw.NO_POSITION),
        ({"ai": "nan"}, Flaw.NO_POSITION),
        ({"oi": "1_000"}, Flaw.NO_POSITION),
        ({"oi": "\u0661"}, Flaw.NO_POSITION),
        ({"oi": ""}, Flaw.NO_POSITION),
        ({"oi": []}, Flaw.NO_POSITION),
        ({"oi": "7,5"}, Flaw.NO_POSITION),
        ({"ai": "0", "oi": "0"}, Flaw.NULL_ISLAND),
        ({"ai": "5400001"}, Flaw.LATITUDE_RANGE),
        ({"oi": 1e308}, Flaw.LONGITUDE_RANGE),
        ({"oi": "1e999"}, Flaw.LONGITUDE_RANGE),
        ({"oi": 2**63}, Flaw.LONGITUDE_RANGE),
        ({"d": None}, Flaw.NO_TIME),
        ({"d": "soon"}, Flaw.TIME_FORM),
        ({"d": True}, Flaw.TIME_FORM),
        ({"d": {}}, Flaw.TIME_FORM),
        ({"d": 1e308}, Flaw.TIME_FORM),
        ({"d": "-1e308"}, Flaw.TIME_FORM),
        ({"d": 0}, Flaw.BEFORE_1980),
        ({"d": 946_700_000}, Flaw.POWER_UP),
        ({"d": "4102444800"}, Flaw.FUTURE),
    ],
)
def test_a_bad_value_costs_its_own_fix(parse: Parse, change: dict[str, Any], flaw: Flaw) -> None:
    track = parse(GOOD, {**GOOD, **change}, {**GOOD, "d": 1_615_411_122})
    assert [(reject.place, reject.reason) for reject in track.rejects] == [("record 2", flaw.text)]
    assert (len(track), track.records) == (2, 3)


@pytest.mark.parametrize("row", [None, 1, "text", [], True])
def test_what_is_no_object_is_no_fix(parse: Parse, row: object) -> None:
    assert [reject.reason for reject in parse(GOOD, row).rejects] == [Flaw.NO_OBJECT.text]


@pytest.mark.parametrize("value", [None, "", "x", [], {}, True, 1e308, "1e30", "-99999"])
def test_a_broken_sensor_costs_its_value_not_the_fix(parse: Parse, value: object) -> None:
    track = parse({**GOOD, "h": value, "c": value, "b": value, "v": value}, {**GOOD, "d": 1_615_411_122})
    assert len(track) == 2
    for name in ("elevation", "barometric_altitude", "speed", "heading"):
        assert np.isnan(track.columns[name]).tolist() == [True, False]


def test_of_a_repeated_key_the_last_one_counts(parse: Parse) -> None:
    track = parse(document=b'{"1": [], "1": [{"d": 1615411121, "ai": 1, "ai": "60000", "oi": 60000}]}')
    assert track.columns["lat"].tolist() == [1.0]


def test_instruments_without_fixes(parse: Parse) -> None:
    track = parse(document={"1": [], "2": []})
    assert (len(track), track.records, track.parts, track.serial) == (0, 0, (), None)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"1": [{"d": NaN}]}', "not JSON: .* line 1 column"),
        (b'{"1": [{"d": 1e999}]}', "not JSON"),
        (b'{"1": [{"d": "\\ud800"}]}', "not JSON"),
        (b'{"1": ["\xff"]}', "not JSON"),
        (b'{"1": [', "not JSON"),
        (b'{"1": ' + b"[" * 100_000, "not JSON"),
        (b"[]", "the document: expected an object, found a list"),
        (b'{"1": [], "2": {}}', "instrument '2': expected a list, found an object"),
        (b'{"1": [], "\\u0007": 5}', r"instrument '\\x07': expected a list, found 5"),
    ],
)
def test_another_shape_is_an_error_that_says_where(parse: Parse, document: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse(document=document)


def test_names_of_devices_are_texts_that_can_be_stored(parse: Parse) -> None:
    track = parse(document={" \0a\nb ": [GOOD], "x" * 500: [GOOD], "\0": [GOOD]})
    assert [part.device_id for part in track.parts] == ["a b", "x" * 200, None]
