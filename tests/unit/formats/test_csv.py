"""Tables with a header: separators, encodings, names, times, damage."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pointq.errors import FormatError
from pointq.formats.csv import looks_like_csv, parse_csv
from pointq.formats.csv.names import QUANTITIES, UTC_UNITS, Quantity, understand
from pointq.formats.detect import Hints, detect, parse
from pointq.formats.flaws import Flaw
from pointq.formats.track import TrackFile

NOW_US = 1_767_225_600_000_000
NOON_S = 1_719_835_200
NOON_US = NOON_S * 1_000_000
HEAD = "time,lat,lon\n"
ROW = "2024-07-01T12:00:00Z,46.5,-7.25\n"
NEXT = "2024-07-01T12:00:01Z,46.5,-7.25\n"
DOCUMENT = Path(__file__).parents[3] / "docs" / "formats.md"

Read = Callable[..., TrackFile]


def read(text: str | bytes, **columns: str) -> TrackFile:
    return parse_csv(text if isinstance(text, bytes) else text.encode(), now_us=NOW_US, columns=columns)


def values(track: TrackFile) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in track.columns.items()}


def reasons(track: TrackFile) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in track.rejects]


def column(name: str, text: str) -> dict[str, list[float]]:
    """What a further column of that name holds."""
    track = read(f"time;lat;lon;{name}\n2024-07-01T12:00:00Z;46.5;-7.25;{text}\n")
    return {own: found for own, found in values(track).items() if own not in ("time", "lat", "lon")}


def moments(name: str, *texts: str, **columns: str) -> list[int]:
    """The times in a column of that name."""
    rows = [f"{text};46.5;{7 + place / 10}" for place, text in enumerate(texts)]
    found: list[int] = read("\n".join([f"{name};lat;lon", *rows]), **columns).columns["time"].tolist()
    return found


def test_a_plain_table() -> None:
    track = read(HEAD + ROW + NEXT)
    assert values(track) == {"time": [NOON_US, NOON_US + 1_000_000], "lat": [46.5, 46.5], "lon": [-7.25, -7.25]}
    assert (track.format, track.records, len(track.rejects), track.parts) == ("csv", 2, 0, ())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", "])
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_separators_line_ends_and_quotes(separator: str, eol: str, quote: str) -> None:
    rows = [["time", "lat", "lon"], [str(NOON_S), "46.5", "-7.25"]]
    text = eol.join(separator.join(f"{quote}{field}{quote}" for field in row) for row in rows)
    assert values(read(text)) == {"time": [NOON_US], "lat": [46.5], "lon": [-7.25]}


def test_decimal_commas_where_the_separator_is_none() -> None:
    track = read(f"time;lat;lon;alt\n{NOON_S},5;46,5;-7,25;1234,5\n")
    assert values(track) == {"time": [NOON_US + 500_000], "lat": [46.5], "lon": [-7.25], "elevation": [1234.5]}


def test_excels_line_with_the_separator() -> None:
    track = read("sep=;\r\ntime;lat;lon;a,b,c,d,e,f\r\n2024-07-01T12:00:00Z;46,5;-7,25;\r\nx;1;1;\r\n")
    assert (len(track), reasons(track)) == (1, [(4, Flaw.TIME_FORM.text)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = "Zeit (é);Höhe;lat;lon\n2024-07-01T12:00:00Z;1234;46,5;7,5\n"
    track = read(text.encode(encoding), time="Zeit (é)", elevation="Höhe")
    assert (track.columns["elevation"].tolist(), len(track)) == ([1234.0], 1)


@pytest.mark.parametrize(
    ("name", "text", "own", "value"),
    [
        ("ele", "1234.5", "elevation", 1234.5),
        ("GPS Altitude (m)", "1234.5", "elevation", 1234.5),
        ("alt_ft", "1000", "elevation", 304.8),
        ("Altitude [feet]", "1000", "elevation", 304.8),
        ("Baro-Alt", "-5", "barometric_altitude", -5.0),
        ("pressure_altitude_ft", "1000", "barometric_altitude", 304.8),
        ("speed", "10", "speed", 10.0),
        ("Speed (km/h)", "36", "speed", 10.0),
        ("speed_kmh", "36", "speed", 10.0),
        ("speed [m/s]", "10", "speed", 10.0),
        ("ground_speed_knots", "19.438444924406046", "speed", 10.0),
        ("speed_kt", "19.438444924406046", "speed", 10.0),
        ("SOG (mph)", "22.369362920544024", "speed", 10.0),
        ("Course (°)", "270", "heading", 270.0),
        ("bearing", "270", "heading", 270.0),
        ("Accuracy", "4.5", "accuracy", 4.5),
        ("horizontalAccuracy", "4.5", "accuracy", 4.5),
    ],
)
def test_names_and_units(name: str, text: str, own: str, value: float) -> None:
    assert column(name, text) == {own: [pytest.approx(value, rel=1e-12)]}


@pytest.mark.parametrize(("text", "value"), [("A", 1), ("true", 1), ("1", 1), ("YES", 1), ("V", 0), ("False", 0), ("0", 0)])
def test_validity(text: str, value: int) -> None:
    assert column("valid", text) == {"valid": [value]}


@pytest.mark.parametrize("name", ["speed (furlongs)", "speedometer", "lat2", "", "()", "temperature", "fix", "battery_ms"])
def test_other_names_are_not_guessed(name: str) -> None:
    assert understand(name) is None
    assert column(name, "5") == {}


@pytest.mark.parametrize(
    ("name", "text"), [("ele", "n/a"), ("ele", ""), ("speed", "-1"), ("heading", "361"), ("valid", "?"), ("ele", "1_0")]
)
def test_what_is_no_value_is_null(name: str, text: str) -> None:
    assert column(name, text) == {}


def test_of_several_columns_the_surest_name_is_taken() -> None:
    track = read(f"y,x,latitude,longitude,altitude,gps_alt,time\n1,2,46.5,7.5,100,200,{NOON_S}\n")
    assert values(track) == {"time": [NOON_US], "lat": [46.5], "lon": [7.5], "elevation": [200.0]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("time", "2024-07-01T12:00:00Z"),
        ("time", "2024-07-01 14:00:00+02:00"),
        ("timestamp", "2024-07-01 12:00:00 UTC"),
        ("datetime", "2024-07-01 14:00:00 +0200"),
        ("date_time", "2024/07/01 12:00Z"),
        ("fix_time", "01.07.2024 12:00:00Z"),
        ("GPSTime", "20240701T120000Z"),
        ("time_utc", "2024-07-01T12:00:00"),
        ("UTC", "2024-07-01 12:00:00.000"),
        ("utc_time", "2024-7-1 12:00:00"),
        ("Time (UTC)", "01.07.2024 12:00"),
        ("Time (UTC)", "2024-07-01T14:00:00+02:00"),
        ("time", f"{NOON_S}"),
        ("timestamp", f"{NOON_S}.0"),
        ("unix_time", f"{NOON_S}000"),
        ("epoch", f"{NOON_S}000000"),
        ("time", f"{NOON_S}000000000"),
        ("timestamp_ms", f"{NOON_S}000"),
        ("time (s)", f"{NOON_S}"),
        ("date", "2024-07-01T12:00:00Z"),
    ],
)
def test_times(name: str, text: str) -> None:
    assert moments(name, text) == [NOON_US]


def test_fractions_of_seconds_are_kept() -> None:
    texts = ("2024-07-01T12:00:00.123456789Z", "2024-07-01 12:00:00.123456789", f"{NOON_S}.123456")
    assert moments("time_utc", *texts) == [NOON_US + 123_456] * 3


def test_the_unit_of_unix_times_is_one_for_the_column() -> None:
    assert moments("time", f"{NOON_S}000", f"{NOON_S + 1}000", "315964800000") == [
        NOON_US,
        NOON_US + 10**6,
        315_964_800 * 10**6,
    ]


def test_a_unit_in_the_name_decides() -> None:
    track = read(f"time_s,lat,lon\n{NOON_S}000,46.5,7.5\n")
    assert reasons(track) == [(2, Flaw.FUTURE.text)]


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("2024-07-01T12:00:00", Flaw.NO_OFFSET),
        ("2024/07/01 12:00", Flaw.NO_OFFSET),
        ("07/01/2024 12:00:00Z", Flaw.TIME_FORM),
        ("12:00:00Z", Flaw.TIME_FORM),
        ("2024-02-30T12:00:00Z", Flaw.TIME_FORM),
        ("1e300", Flaw.TIME_FORM),
        ("nan", Flaw.TIME_FORM),
        ("9" * 9999, Flaw.TIME_FORM),
        ("", Flaw.NO_TIME),
        ("5", Flaw.BEFORE_1980),
    ],
)
def test_what_is_no_time(text: str, flaw: Flaw) -> None:
    assert reasons(read(f"{HEAD}{text},46.5,7.5\n")) == [(2, flaw.text)]


@pytest.mark.parametrize(
    ("dates", "times", "date", "time"),
    [
        ("date", "time_utc", "2024-07-01", "12:00:00"),
        ("date (UTC)", "time", "01.07.2024", "12:00"),
        ("date", "time", "2024-07-01", "14:00:00+02:00"),
        ("Date", "UTC", "20240701", "120000"),
        ("date", "timestamp", "nonsense", f"{NOON_S}"),
        ("date", "time", "nonsense", "2024-07-01T12:00:00Z"),
    ],
)
def test_a_date_and_a_time_of_day(dates: str, times: str, date: str, time: str) -> None:
    assert read(f"lat,{dates},{times},lon\n46.5,{date},{time},7.5\n").columns["time"].tolist() == [NOON_US]


def test_a_date_and_a_time_of_day_without_an_offset_are_rejected() -> None:
    assert reasons(read("date,time,lat,lon\n2024-07-01,12:00:00,46.5,7.5\n")) == [(2, Flaw.NO_OFFSET.text)]


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ("2024-07-01T12:00:00Z,46.5", Flaw.COLUMN_COUNT),
        ("2024-07-01T12:00:00Z,46,5,7.5", Flaw.COLUMN_COUNT),
        ('2024-07-01T12:00:00Z,46.5,"7".5', Flaw.QUOTES),
        ('2024-07-01T12:00:00Z,46.5,"7.5', Flaw.QUOTES),
        ("2024-07-01T12:00:00Z,46.5," + "7" * 100_000, Flaw.LONG_LINE),
        ("2024-07-01T12:00:00Z,91,7.5", Flaw.LATITUDE_RANGE),
        ("2024-07-01T12:00:00Z,46.5,181", Flaw.LONGITUDE_RANGE),
        ("2024-07-01T12:00:00Z,0,0.0", Flaw.NULL_ISLAND),
        ("2024-07-01T12:00:00Z,,7.5", Flaw.NO_POSITION),
        ("2024-07-01T12:00:00Z,46.5N,7.5", Flaw.NO_POSITION),
        ("2024-07-01T12:00:00Z,inf,7.5", Flaw.NO_POSITION),
        ("2024-07-01T12:00:00Z,46\0.5,7.5", Flaw.NO_POSITION),
        ("time,lat,lon", Flaw.TIME_FORM),
    ],
)
@pytest.mark.parametrize("after", [1, 30])
def test_a_bad_row_rejects_itself_only(row: str, flaw: Flaw, after: int) -> None:
    more = "".join(NEXT.replace("12:00:01", f"12:01:{second:02}") for second in range(after))
    track = read(f"{HEAD}{ROW}\n{row}\n{NEXT}{more}")
    assert (reasons(track), len(track)) == ([(4, flaw.text)], 2 + after)


def test_empty_fields_behind_the_others_do_not_count() -> None:
    assert len(read(f"{HEAD}{ROW.strip()},, ,\n")) == 1


def test_line_numbers_count_line_ends_in_quoted_fields() -> None:
    text = f'note,{HEAD}"two\r\nlines",{ROW}\n"three\n\nlines",{ROW}x,bad,46.5,7.5\n'
    track = read(text)
    assert (len(track), track.duplicates, reasons(track)) == (1, 1, [(8, Flaw.TIME_FORM.text)])


def test_devices_and_flights_are_parts() -> None:
    text = """device_id,flight,time,lat,lon
a,1,2024-07-01T12:00:00Z,46.5,7.5
b,1,2024-07-01T12:00:00Z,46.5,7.5
a,1,2024-07-01T12:00:01Z,46.5,7.5
a,2,2024-07-01T12:00:01Z,46.5,7.5
b,1,2024-07-01T12:00:00Z,46.5,7.5
,,2024-07-01T12:00:02Z,46.5,7.5
"""
    track = read(text)
    assert [(part.first, part.device_id) for part in track.parts] == [(0, "a"), (2, "b"), (3, "a"), (4, None)]
    assert (len(track), track.duplicates) == (5, 1)


def test_one_device_is_named() -> None:
    track = read(f"serial,{HEAD}12345,{ROW}12345,{NEXT}")
    assert [(part.first, part.device_id) for part in track.parts] == [(0, "12345")]


def test_names_that_a_user_maps() -> None:
    track = read(
        "Zeit;A;B;V;H\n01.07.2024 12:00;46,5;7,5;36;1000\n", time_utc="Zeit", lat="A", lon="B", speed_kmh="V", alt_ft="H"
    )
    assert values(track) == {"time": [NOON_US], "lat": [46.5], "lon": [7.5], "elevation": [304.8], "speed": [10.0]}


def test_a_mapped_name_beats_a_guess_and_keeps_the_unit_of_the_header() -> None:
    text = f"time,lat,lon,speed,groundspeed (km/h)\n{NOON_S},46.5,7.5,99,36\n"
    assert read(text, speed="groundspeed (km/h)").columns["speed"].tolist() == [10.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {},
            r"is understood as lat or lon; its header in line 2 has 'Zeit', 'time', 'A'; understood: time='time'",
        ),
        ({"lat": "A"}, r"understood as lon; .* understood: time='time', lat='A'"),
        ({"lat": "X"}, r"no column 'X'; its header in line 2 has 'Zeit', 'time', 'A'"),
        ({"flux": "A"}, r"no column 'flux' to map 'A' to"),
    ],
)
def test_a_table_that_is_not_understood_says_how_to_map(columns: dict[str, str], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read("\nZeit,time,A\n1,2,3\n", **columns)
    assert "map" in (caught.value.hint or "")


def test_a_long_header_is_not_shown_in_full() -> None:
    with pytest.raises(FormatError, match="and 170 more") as caught:
        read(",".join(f"{place}{'x' * 70}" for place in range(200)))
    assert len(caught.value.message) < 1500


@pytest.mark.parametrize("text", ["", "\n\n", '"time,lat,lon\n', "time,lat,lon," + "x" * 100_000])
def test_no_header(text: str) -> None:
    with pytest.raises(FormatError, match="not a table"):
        read(text)


def test_a_header_alone_is_no_error() -> None:
    track = read(HEAD)
    assert (len(track), track.records, set(track.columns)) == (0, 0, {"time", "lat", "lon"})


@pytest.mark.parametrize("text", [HEAD, "Latitude\tLongitude\n", "\ufeffx;y\r\n", "sep=|\na|lng|lat\n"])
def test_tables_are_known_by_their_header(text: str) -> None:
    assert looks_like_csv(text.encode(), {})
    assert detect(text.encode()).name == "csv"


@pytest.mark.parametrize(
    "text", ["", "lat\n", "Dear Sir, or Madam", "lat lon time\n", '{"lat": 1, "lon": 2}', "a,b,c\n1,2,3\n"]
)
def test_other_texts_are_no_tables(text: str) -> None:
    assert not looks_like_csv(text.encode(), {})


@pytest.mark.parametrize(
    ("text", "expected"), [("a,b\n1,2", True), ("<a,b>", False), ('{"a",1}', False), ("\x89,\x01", False), ("a", False)]
)
def test_with_a_mapping_any_table_is_read(text: str, *, expected: bool) -> None:
    assert looks_like_csv(text.encode(), {"lat": "a"}) == expected


def test_a_mapping_reaches_the_parser() -> None:
    data = b"A;B;C\n2024-07-01T12:00:00Z;46,5;7,5\n"
    assert len(parse(data, Hints(NOW_US, columns={"time": "A", "lat": "B", "lon": "C"}))) == 1
    with pytest.raises(FormatError, match="understood as lon"):
        parse(data, Hints(NOW_US, columns={"time": "A", "lat": "B"}))


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: str(quantity.name))
def test_the_document_lists_every_name_and_unit(quantity: Quantity) -> None:
    section = DOCUMENT.read_text("utf8").partition("### Which column is which")[2].partition("\n##")[0]
    rows = {cells[0]: cells[1:] for cells in map(cells_of, section.splitlines()) if cells}
    names, units = rows[f"`{quantity.name}`"][:2]
    assert re.findall(r"`([^`]+)`", names) == list(quantity.synonyms)
    assert set(re.findall(r"`([^`]+)`", units)) == {*quantity.units, *(UTC_UNITS if quantity.utc else ())}


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| `") else []


def test_no_name_has_two_meanings() -> None:
    names = [synonym for quantity in QUANTITIES for synonym in quantity.synonyms]
    assert len(names) == len(set(names))
    for quantity in QUANTITIES:
        for rank, synonym in enumerate(quantity.synonyms):
            meaning = understand(synonym)
            assert meaning is not None
            assert (meaning.quantity, meaning.rank) == (quantity, rank)
