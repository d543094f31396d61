"""FIT, read by fitdecode, from files that a small writer makes."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.detect import Hints, detect, parse
from pointq.formats.fit import is_fit, parse_fit
from pointq.formats.flaws import Flaw
from pointq.formats.track import TrackFile
from tests.support.fit_files import EPOCH_S, Record, crc, definition, file_id, fit_file, record, wrap

NOW_US = 1_767_225_600_000_000
SEMICIRCLES = 2**31 / 180
START = 1_719_835_200 - EPOCH_S
"""2024-07-01T12:00:00Z."""
FIRST = Record(START, round(46.5 * SEMICIRCLES), round(-7.25 * SEMICIRCLES), 8_510, 12_500, 4)
NEXT = Record(START + 1, round(46.6 * SEMICIRCLES), round(-7.35 * SEMICIRCLES), 8_520, 12_600, 5)
RECORD_BYTES = len(record(FIRST))


def reasons(track: TrackFile) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in track.rejects]


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_field_of_a_record(order: str) -> None:
    track = parse_fit(fit_file([FIRST], order=order), now_us=NOW_US)
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": [1_719_835_200_000_000],
        "lat": [pytest.approx(46.5, abs=1e-7)],
        "lon": [pytest.approx(-7.25, abs=1e-7)],
        "elevation": [1202.0],
        "speed": [12.5],
        "accuracy": [4.0],
    }
    assert (track.format, track.records, track.complete) == ("fit", 1, True)
    assert (track.serial, track.logger) == ("12345", "garmin")


def test_what_a_record_does_not_know_is_null() -> None:
    track = parse_fit(fit_file([Record(START, 1, 1)]), now_us=NOW_US)
    assert set(track.columns) == {"time", "lat", "lon"}


def test_a_record_without_any_position_is_no_fix_and_no_reject() -> None:
    track = parse_fit(fit_file([Record(START, None, None, 8_510), FIRST]), now_us=NOW_US)
    assert (len(track), track.records, len(track.rejects)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (Record(START, 1, None), Flaw.NO_POSITION),
        (Record(None, 1, 1), Flaw.NO_TIME),
        (Record(1000, 1, 1), Flaw.FIT_UPTIME),
        (Record(START, 0, 0), Flaw.NULL_ISLAND),
        (Record(START, 2**30 + 1, 1), Flaw.LATITUDE_RANGE),
        (Record(2**32 - 2, 1, 1), Flaw.FUTURE),
    ],
)
def test_a_bad_record_rejects_itself_only(bad: Record, flaw: Flaw) -> None:
    track = parse_fit(fit_file([FIRST, bad, NEXT]), now_us=NOW_US)
    assert (reasons(track), len(track), track.records) == ([(2, flaw.text)], 2, 3)
    assert [reject.record for reject in track.rejects] == ["record"]


def test_a_repeated_record_is_a_duplicate() -> None:
    track = parse_fit(fit_file([FIRST, FIRST]), now_us=NOW_US)
    assert (len(track), track.duplicates) == (1, 1)


@pytest.mark.parametrize("missing", range(1, RECORD_BYTES + 3))
def test_of_a_cut_file_the_whole_records_are_kept(missing: int) -> None:
    track = parse_fit(fit_file([FIRST, NEXT])[:-missing], now_us=NOW_US)
    whole = 2 if missing <= 2 else 1
    assert (len(track), track.complete) == (whole, False)
    assert reasons(track) == [(whole + 1, Flaw.FIT_BREAK.text)]


def test_a_wrong_checksum_is_reported() -> None:
    data = bytearray(fit_file([FIRST, NEXT]))
    data[-1] ^= 0xFF
    track = parse_fit(bytes(data), now_us=NOW_US)
    assert (len(track), track.complete, reasons(track)) == (2, True, [(3, Flaw.FIT_CHECKSUM.text)])


def test_a_message_that_was_never_defined_is_a_break() -> None:
    whole = fit_file([FIRST])[14:-2]
    track = parse_fit(wrap(whole + b"\x0f" + b"\0" * 40), now_us=NOW_US)
    assert (len(track), track.complete) == (1, False)


def test_chained_files_are_parts() -> None:
    track = parse_fit(fit_file([FIRST], serial=1) + fit_file([FIRST, NEXT], serial=2), now_us=NOW_US)
    assert [(part.first, part.device_id) for part in track.parts] == [(0, "1"), (1, "2")]
    assert (len(track), track.duplicates, track.serial) == (3, 0, None)


def test_texts_and_lists_in_place_of_numbers_are_no_values() -> None:
    fields = (("time", 253, 4, 0x86, "I"), ("lat", 0, 4, 0x07, "s"), ("lon", 1, 4, 0x85, "i"), ("altitude", 2, 4, 0x84, "H"))
    message = b"\x01" + START.to_bytes(4, "little") + b"abcd" + (1).to_bytes(4, "little") + b"\1\1\1\1"
    track = parse_fit(wrap(file_id(1) + definition(1, 20, fields) + message), now_us=NOW_US)
    assert reasons(track) == [(1, Flaw.NO_POSITION.text)]


def test_without_the_library_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fitdecode", None)
    with pytest.raises(FormatError, match="fitdecode") as caught:
        parse_fit(fit_file([FIRST]), now_us=NOW_US)
    assert caught.value.hint == "pip install 'pointq[fit]'"


def test_fit_is_known_by_content() -> None:
    data = fit_file([FIRST])
    assert detect(data).name == "fit"
    assert len(parse(data, Hints(NOW_US, "misleading.igc"))) == 1
    assert not is_fit(b".FIT")
    with pytest.raises(FormatError, match="not a FIT file"):
        parse_fit(b"", now_us=NOW_US)


def test_the_writers_checksum_is_the_sdks() -> None:
    # the CRC-16/ARC of the nine digits, from the catalogue of parametrised CRC algorithms
    assert crc(b"123456789") == 0xBB3D


def records() -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        time=st.integers(START, START + 86_400),
        lat=st.integers(-(2**30), 2**30),
        lon=st.integers(-(2**31), 2**31 - 2),
        enhanced_altitude=st.none() | st.integers(0, 50_000),
        enhanced_speed=st.none() | st.integers(0, 100_000),
    ).filter(lambda each: bool(each.lat or each.lon))


@settings(max_examples=100, deadline=None)
@given(st.lists(records(), min_size=1, max_size=8, unique_by=lambda each: (each.time, each.lat, each.lon)))
def test_what_was_written_is_read(written: list[Record]) -> None:
    columns = parse_fit(fit_file(written), now_us=NOW_US).columns
    assert columns["time"].tolist() == [(EPOCH_S + each.time) * 10**6 for each in written if each.time]
    assert columns["lat"].tolist() == [each.lat * 180 / 2**31 for each in written if each.lat is not None]
    speeds = columns["speed"].tolist() if "speed" in columns else [float("nan")] * len(written)
    expected = [float("nan") if each.enhanced_speed is None else each.enhanced_speed / 1000 for each in written]
    assert speeds == pytest.approx(expected, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(records(), min_size=1, max_size=4), st.data())
def test_damaged_files(written: list[Record], data: st.DataObject) -> None:
    content = bytearray(fit_file(written))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    must_not_raise_anything_else(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes(body: bytes) -> None:
    must_not_raise_anything_else(wrap(body))
    must_not_raise_anything_else(body)


def must_not_raise_anything_else(data: bytes) -> None:
    try:
        track = parse_fit(data, now_us=NOW_US)
    except FormatError:
        return
    assert track.records == len(track) + len(track.rejects) + track.duplicates
    assert {len(values) for values in track.columns.values()} == {len(track)}
