"""What a small writer of tables writes is read back; and no bytes do any harm."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.csv import parse_csv
from pointq.formats.detect import Hints, parse

NOW_US = 1_767_225_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


TIMES: dict[str, Callable[[datetime], str]] = {
    "time": lambda time: time.isoformat(),
    "Time (UTC)": lambda time: time.strftime("%d.%m.%Y %H:%M:%S.%f"),
    "timestamp": lambda time: time.strftime("%Y/%m/%d %H:%M:%S.%fZ"),
    "unix_time": lambda time: f"{micros(time) / 1e6:.6f}",
    "fix time": lambda time: str(micros(time)),
}
"""Names of a column, and how times are written there."""
BAD = ("", "n/a", "2024-07-01T12:00:00", "2024-13-01T12:00:00Z")


@dataclass(frozen=True)
class Row:
    """One row, good or, with something else in place of its time, bad."""

    time: datetime
    lat: float
    lon: float
    elevation: float | None
    note: str
    bad: str | None


@dataclass(frozen=True)
class Form:
    """How a table is written."""

    separator: str
    eol: str
    time_name: str
    encoding: str
    quoting: int


def rows() -> st.SearchStrategy[list[Row]]:
    row = st.builds(
        Row,
        time=st.datetimes(datetime(2001, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy's
        lat=st.floats(-90, 90).filter(bool),
        lon=st.floats(-180, 180).filter(bool),
        elevation=st.none() | st.floats(-2_000, 100_000),
        # no CR alone: Python's writer before 3.13 leaves it unquoted
        note=st.lists(st.sampled_from([*"ab ,;|\t\"'\nü", "\r\n"]), max_size=8).map("".join),
        bad=st.none() | st.sampled_from(BAD),
    )
    return st.lists(row, max_size=8)


def forms() -> st.SearchStrategy[Form]:
    return st.builds(
        Form,
        separator=st.sampled_from(",;\t|"),
        eol=st.sampled_from(["\n", "\r\n"]),
        time_name=st.sampled_from(sorted(TIMES)),
        encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )


def number(value: float | None, form: Form) -> str:
    text = "" if value is None else repr(value)
    return text if form.separator == "," else text.replace(".", ",")


def write(written: list[Row], form: Form) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=form.separator, lineterminator=form.eol, quoting=form.quoting)  # type: ignore[arg-type]
    writer.writerow(["Note", "Lat", "Lon", form.time_name, "Alt (m)"])
    for row in written:
        # the last character of the note keeps a line break in it from looking like an empty line
        time = TIMES[form.time_name](row.time) if row.bad is None else row.bad
        writer.writerow([row.note + ".", number(row.lat, form), number(row.lon, form), time, number(row.elevation, form)])
    return text.getvalue().encode(form.encoding)


def expected(written: list[Row]) -> list[tuple[int, float, float, float | None]]:
    found: dict[tuple[int, float, float], float | None] = {}
    for row in written:
        if row.bad is None:
            found.setdefault((micros(row.time), row.lat, row.lon), row.elevation)
    return [(*key, elevation) for key, elevation in found.items()]


@settings(max_examples=150, deadline=None)
@given(rows(), forms())
def test_what_was_written_is_read(written: list[Row], form: Form) -> None:
    bad = [row for row in written if row.bad is not None and not (form.time_name == "Time (UTC)" and row.bad == BAD[2])]
    written = [row for row in written if row.bad is None or row in bad]
    track = parse_csv(write(written, form), now_us=NOW_US)
    altitudes = track.columns["elevation"].tolist() if "elevation" in track.columns else [float("nan")] * len(track)
    nulls = [None if value != value else value for value in altitudes]  # noqa: PLR0124 - NaN
    found = zip(*(track.columns[name].tolist() for name in ("time", "lat", "lon")), nulls, strict=True)
    assert list(found) == expected(written)
    assert len(track.rejects) == len(bad)
    assert track.records == len(written) == len(track) + len(bad) + track.duplicates


@settings(max_examples=150, deadline=None)
@given(rows(), forms(), st.data())
def test_damaged_files(written: list[Row], form: Form, data: st.DataObject) -> None:
    content = bytearray(write(written, form))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    must_not_raise_anything_else(bytes(content))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"time,lat,lon\n", b"x;y;utc\n", b"\xff\xfet\0,\0x\0,\0y\0\n\0"]))
def test_arbitrary_bytes(data: bytes, before: bytes) -> None:
    must_not_raise_anything_else(before + data)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("0123456789.,-+:TZe\"'\r\n \0"), max_size=300))
def test_arbitrary_text_of_the_formats_letters(text: str) -> None:
    must_not_raise_anything_else(b"date,time_utc,lat,lon,ele,valid,device\n" + text.encode())


def must_not_raise_anything_else(data: bytes) -> None:
    mapping = {"time": "t", "lat": "x"}
    for read in (
        partial(parse_csv, data, now_us=NOW_US),
        partial(parse, data, Hints(NOW_US)),
        partial(parse, data, Hints(NOW_US, columns=mapping)),
    ):
        try:
            track = read()
        except FormatError:
            continue
        assert track.records == len(track) + len(track.rejects) + track.duplicates
        assert all(reject.line >= 1 for reject in track.rejects)
        assert {len(values) for values in track.columns.values()} == {len(track)}
