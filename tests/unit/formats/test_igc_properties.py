"""What a small writer of IGC writes, in every form that recorders use, is read back; and no bytes do any harm."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.detect import Hints, parse
from pointq.formats.igc import parse_igc

NOW_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POWER_UP = date(2000, 1, 1)
"""As a date record a placeholder; fixes on that day are rejected."""
LONGEST_GAP_S = 80_000
"""With longer ones the next day's time of day could look like a fix out of order."""

DATE_FORMS = ("HFDTE{:%d%m%y}", "HFDTEDATE:{:%d%m%y},01", "HFDTEDATE: {:%d%m%y}", "HFDTEDATE{:%d%m%y}", "HODTE{:%d%m%y}")
NOISE = (
    "LXXXB1201",
    "K120105012",
    "E120105PEV",
    "F1201050304",
    "",
    "GABCDEF0123",
    "HSCIDsource",
    "HFPLTPILOTINCHARGE:Jürg",
    "\0\0\0\0",
    "I0a",
)
BAD = ("B", "B12", "B9999994607407N00739259EA0123401250", "B1201050000000N00000000EV0000000000", "B1201054607407N007\0\0\0\0")


@dataclass(frozen=True)
class Fix:
    """One fix, in what an IGC file counts in."""

    gap_s: int
    lat: int
    lon: int
    valid: bool
    pressure: int
    gnss: int
    decimals: tuple[int, int, int]
    before: tuple[str, ...]
    """Lines before it."""


@dataclass(frozen=True)
class File:
    """A whole file: the first fix at `start`, the next ones some seconds later each."""

    start: datetime
    date_form: str
    widths: tuple[int, int, int]
    """Digits of LAD, LOD and TDS; 0 where not declared."""
    fixes: list[Fix]
    eol: str
    final_eol: bool
    tail: str
    """Undeclared bytes behind each B record."""


def altitudes() -> st.SearchStrategy[int]:
    return st.integers(-1_999, 99_999)


def fixes() -> st.SearchStrategy[Fix]:
    return st.builds(
        Fix,
        gap_s=st.one_of(st.integers(0, 5), st.integers(0, LONGEST_GAP_S)),
        lat=st.integers(-90 * 60_000 + 1, 90 * 60_000 - 1),
        lon=st.integers(-180 * 60_000 + 1, 180 * 60_000 - 1),
        valid=st.booleans(),
        pressure=altitudes(),
        gnss=altitudes(),
        decimals=st.tuples(*[st.integers(0, 10**8 - 1)] * 3),
        before=st.lists(st.sampled_from(NOISE + BAD), max_size=2).map(tuple),
    )


def files() -> st.SearchStrategy[File]:
    return st.builds(
        File,
        start=st.datetimes(datetime(1980, 1, 1), datetime(2025, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001
        date_form=st.sampled_from(DATE_FORMS),
        widths=st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 6)),
        fixes=st.lists(fixes(), min_size=1, max_size=12),
        eol=st.sampled_from(["\r\n", "\n", "\r"]),
        final_eol=st.booleans(),
        tail=st.sampled_from(["", "01234", " "]),
    )


def write_altitude(metres: int) -> str:
    return f"-{-metres:04}" if metres < 0 else f"{metres:05}"


def write_degrees(units: int, width: int, letters: str) -> str:
    degrees, minutes = divmod(abs(units), 60_000)
    return f"{degrees:0{width}}{minutes:05}{letters[units < 0]}"


def cut(fix: Fix, widths: tuple[int, int, int]) -> list[int]:
    return [value % 10**width for value, width in zip(fix.decimals, widths, strict=True)]


def write_fix(fix: Fix, clock: time, file: File) -> str:
    decimals = "".join(f"{v:0{w}}" for v, w in zip(cut(fix, file.widths), file.widths, strict=True) if w)
    position = write_degrees(fix.lat, 2, "NS") + write_degrees(fix.lon, 3, "EW")
    altitudes = write_altitude(fix.pressure) + write_altitude(fix.gnss)
    return f"B{clock:%H%M%S}{position}{'AV'[not fix.valid]}{altitudes}{decimals}{file.tail}"


def write_layout(widths: tuple[int, int, int]) -> str:
    entries, column = [], 36
    for width, code in zip(widths, ("LAD", "LOD", "TDS"), strict=True):
        if width:
            entries.append(f"{column:02}{column + width - 1:02}{code}")
            column += width
    return f"I{len(entries):02}{''.join(entries)}"


def times(file: File) -> list[datetime]:
    out, now = [], file.start
    for fix in file.fixes:
        out.append(now)
        now += timedelta(seconds=fix.gap_s)
    return out


def write(file: File) -> bytes:
    lines = ["AXXX001", file.date_form.format(file.start), write_layout(file.widths)]
    for fix, now in zip(file.fixes, times(file), strict=True):
        lines += [*fix.before, write_fix(fix, now.time(), file)]
    return (file.eol.join(lines) + file.eol * file.final_eol).encode("cp1252")


def exact(units: int, decimals: int, width: int) -> float:
    value = Fraction(abs(units) * 10**width + decimals, 60_000 * 10**width)
    return float(value if units >= 0 else -value)


def expected(file: File) -> list[tuple[Any, ...]]:
    """Time, position, validity of the fixes that must be found, repeats of time and position left out."""
    found: dict[tuple[Any, ...], int] = {}
    for fix, now in zip(file.fixes, times(file), strict=True):
        lad, lod, tds = cut(fix, file.widths)
        micros = (now - EPOCH) // timedelta(microseconds=1) + tds * 10**6 // 10 ** file.widths[2]
        lat, lon = exact(fix.lat, lad, file.widths[0]), exact(fix.lon, lod, file.widths[1])
        if now.date() != POWER_UP and (lat or lon):
            found.setdefault((micros, lat, lon), int(fix.valid))
    return [(*key, valid) for key, valid in found.items()]


@settings(max_examples=300, deadline=None)
@given(files().filter(lambda file: file.start.date() != POWER_UP))
def test_what_was_written_is_read(file: File) -> None:
    track = parse_igc(write(file), now_us=NOW_US)
    names = ("time", "lat", "lon", "valid")
    rows = zip(*(track.columns[name].tolist() for name in names if name in track.columns), strict=True)
    assert list(rows) == expected(file)
    bad = sum(line in BAD for fix in file.fixes for line in fix.before)
    assert track.records == bad + len(file.fixes) == len(track) + len(track.rejects) + track.duplicates


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    must_not_raise_anything_else(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("BIHAGDTEF0123456789NSEWAV-,:\r\n\0 LODSMX"), max_size=300).map("".join))
def test_arbitrary_text_of_the_formats_letters(text: str) -> None:
    must_not_raise_anything_else(b"AXXX\nHFDTE010724\n" + text.encode())


@settings(max_examples=300, deadline=None)
@given(files(), st.data())
def test_damaged_files(file: File, data: st.DataObject) -> None:
    content = bytearray(write(file))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 40))
        content[at : at + length] = data.draw(st.binary(max_size=40))
    must_not_raise_anything_else(bytes(content))


def must_not_raise_anything_else(data: bytes) -> None:
    for read in (partial(parse_igc, data, now_us=NOW_US), partial(parse, data, Hints(NOW_US))):
        try:
            track = read()
        except FormatError:
            continue
        assert track.records == len(track) + len(track.rejects) + track.duplicates
        assert all(reject.line >= 1 for reject in track.rejects)


def test_an_i_record_that_names_the_last_columns_stays_inside_the_file() -> None:
    record = "B1201054607407N00739259EA0123401250"
    track = parse_igc(f"HFDTE010724\nI019999LAD\n{record}".encode(), now_us=NOW_US)
    assert track.columns["lat"].tolist() == [pytest.approx(46 + 7.407 / 60, abs=1e-12)]
