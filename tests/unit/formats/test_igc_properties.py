"""What a writer of IGC writes, in every form and with every quirk that real recorders have, is read back."""

from datetime import UTC, date, datetime
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pointq.formats.flaws import Flaw
from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile
from tests.support import igc_writer as igc
from tests.support.fuzz import NOW_US, check
from tests.support.igc_writer import Bad, Fix, Layout, NewDate, Noise, Step, Style, Written

CODES = ("LAD", "LOD", "TDS", "FXA", "SIU", "ENL", "GSP")
LAST_COLUMNS = 64
"""Columns from the 36th to the 99th."""

pytestmark = pytest.mark.fuzz


def coordinates(degrees: int) -> st.SearchStrategy[int]:
    """Thousandths of minutes, whole degrees among them, short of the end so that further decimals stay inside."""
    whole = st.integers(-degrees + 1, degrees - 1).map(lambda value: value * 60_000)
    return st.integers(-degrees * 60_000 + 1, degrees * 60_000 - 1) | whole


def altitudes() -> st.SearchStrategy[int]:
    return st.integers(-1_999, 99_999) | st.just(0)


def fixes() -> st.SearchStrategy[Fix]:
    return st.builds(
        Fix,
        gap_s=st.one_of(
            st.integers(0, 5), st.integers(0, igc.LONGEST_GAP_S), st.integers(-igc.LONGEST_STEP_BACK_S, igc.LONGEST_STEP_BACK_S)
        ),
        lat=coordinates(90),
        lon=coordinates(180),
        valid=st.booleans(),
        pressure=altitudes(),
        gnss=altitudes(),
        digits=st.integers(0, 10**LAST_COLUMNS - 1).map(lambda number: f"{number:0{LAST_COLUMNS}}"),
        cut=st.sampled_from([False, False, False, True]),
        sixty=st.booleans(),
    ).filter(lambda fix: (fix.lat, fix.lon) != (0, 0))


def layouts() -> st.SearchStrategy[Layout]:
    entries = st.tuples(st.sampled_from(CODES), st.integers(1, 8), st.integers(0, 2))
    unique = st.lists(entries, max_size=7, unique_by=lambda entry: entry[0])
    return unique.map(lambda found: Layout(tuple(found))).filter(lambda layout: layout.length <= LAST_COLUMNS)


def days() -> st.SearchStrategy[date]:
    return st.dates(date(1980, 1, 1), date(2025, 6, 1)).filter(lambda day: day != igc.POWER_UP)


def new_dates() -> st.SearchStrategy[NewDate]:
    return st.builds(NewDate, days() | st.none(), st.sampled_from(igc.DATE_FORMS))


def steps() -> st.SearchStrategy[list[Step]]:
    bad = st.sampled_from(igc.BAD).map(lambda line: Bad(*line))
    noise = st.sampled_from(igc.NOISE).map(Noise)
    return st.lists(st.one_of(fixes(), fixes(), fixes(), noise, bad, layouts(), new_dates()), min_size=1, max_size=15)


def styles() -> st.SearchStrategy[Style]:
    mostly = st.sampled_from([True, True, True, False])
    return st.builds(
        Style,
        eol=st.sampled_from(list(igc.EOLS)),
        final_eol=st.booleans(),
        byte_order_mark=mostly.map(lambda value: not value),
        encoding=st.sampled_from(["utf-8", "cp1252"]),
        logger=st.sampled_from(["XXX001", "XCTJürg's", None]),
        tail=st.sampled_from(["", "01234", " "]),
        pressure_sensor=mostly,
        gnss_sensor=mostly,
    )


def moments() -> st.SearchStrategy[datetime]:
    seconds = st.integers(0, 86_399) | st.integers(86_340, 86_399)
    return seconds.map(lambda second: datetime.fromtimestamp(second, UTC))


@st.composite
def files(draw: st.DrawFn) -> Written:
    """Files with date records of their own."""
    written = igc.start(draw(styles()), draw(moments()))
    written.write(draw(new_dates()))
    for step in draw(steps()):
        written.write(step)
    # a file of placeholders alone knows no date
    written.write(NewDate(draw(days()), draw(st.sampled_from(igc.DATE_FORMS))))
    assume(written.rows)
    return written


@st.composite
def undated_files(draw: st.DrawFn, day: date) -> Written:
    """Files whose date is known from elsewhere."""
    written = igc.start(draw(styles()), draw(moments()))
    written.base = day
    for step in draw(steps()):
        if not isinstance(step, NewDate):
            written.write(step)
    assume(written.rows)
    return written


def rows(track: TrackFile) -> list[igc.Row]:
    nothing = np.full(len(track), np.nan)
    time, lat, lon, valid = (track.columns[name].tolist() for name in ("time", "lat", "lon", "valid"))
    heights = (track.columns.get(name, nothing).tolist() for name in ("barometric_altitude", "elevation"))
    known = ([None if np.isnan(value) else value for value in values] for values in heights)
    return list(zip(time, lat, lon, valid, *known, strict=True))


def assert_read(written: Written, track: TrackFile) -> None:
    assert rows(track) == written.expected()
    assert [(reject.line, reject.reason) for reject in track.rejects] == [(line, flaw.text) for line, flaw in written.rejects]
    assert track.records == written.records == len(track) + len(track.rejects) + track.duplicates
    assert list(track.breaks) == written.breaks
    assert track.logger == written.style.logger


@given(files())
def test_what_was_written_is_read(written: Written) -> None:
    assert_read(written, parse_igc(written.data(), now_us=NOW_US))


@given(st.data(), days(), st.sampled_from(igc.NAME_FORMS))
def test_a_date_in_the_name_stands_in_for_a_record(data: st.DataObject, day: date, form: str) -> None:
    written = data.draw(undated_files(day))
    track = parse_igc(written.data(), now_us=NOW_US, file_name=form.format(day), date=date(2020, 1, 1))
    assert_read(written, track)
    assert track.dates == (day,)


@given(st.data(), days())
def test_a_date_that_is_given_stands_in_for_one_in_the_name(data: st.DataObject, day: date) -> None:
    written = data.draw(undated_files(day))
    assert_read(written, parse_igc(written.data(), now_us=NOW_US, file_name="flight-7.igc", date=day))


@given(st.lists(st.sampled_from("BIHAGDTEF0123456789NSEWAV-,:\r\n\0 LODSMX"), max_size=300).map("".join))
def test_arbitrary_text_of_the_formats_letters(text: str) -> None:
    check(partial(parse_igc, b"AXXX\nHFDTE010724\n" + text.encode(), now_us=NOW_US))


def test_an_i_record_that_names_the_last_columns_stays_inside_the_file() -> None:
    record = "B1201054607407N00739259EA0123401250"
    track = parse_igc(f"HFDTE010724\nI019999LAD\n{record}".encode(), now_us=NOW_US)
    assert track.columns["lat"].tolist() == [pytest.approx(46 + 7.407 / 60, abs=1e-12)]


def test_the_writer_knows_every_way_in_which_a_record_is_bad() -> None:
    of_igc = {flaw for flaw in Flaw if Flaw.NONE < flaw < Flaw.UNDATED}
    assert of_igc == {flaw for _, flaw in igc.BAD}
