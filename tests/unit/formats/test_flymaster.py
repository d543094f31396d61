"""The text that Flymaster instruments upload."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.flymaster import is_flymaster_upload, parse_flymaster_upload, verify_key

NOW_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
KEY = "f1f51cd0d640e70fe05434ed522863b5e265cfd6f1a5107179b447a660588ea7"
SECRET = "pointq-test-secret"
HEAD = f"12345,{KEY}\n".encode()
ROW = b"1719830000,1719829990,46.123450,7.654317,1234,36.0,270\n"
NEXT = b"1719830000,1719829991,46.123460,7.654327,1235,18.0,271\n"


def upload(*rows: bytes, end: bytes = b"EOF\n") -> bytes:
    return HEAD + b"".join(rows) + end


def test_every_field_of_a_row() -> None:
    found = parse_flymaster_upload(upload(ROW), now_us=NOW_US)
    assert (found.serial, found.digest, found.track.serial) == ("12345", KEY, "12345")
    assert {name: values.tolist() for name, values in found.track.columns.items()} == {
        "time": [1_719_829_990_000_000],
        "lat": [46.12345],
        "lon": [7.654317],
        "elevation": [1234.0],
        "speed": [10.0],
        "heading": [270.0],
        "uploaded_at": [1_719_830_000_000_000],
    }
    assert (found.track.format, found.track.records, found.track.complete) == ("flymaster", 1, True)


def test_the_test_vector_of_the_key() -> None:
    assert verify_key("12345", KEY, SECRET)
    assert verify_key("0012345", KEY.upper(), SECRET)


@pytest.mark.parametrize(
    ("serial", "digest", "secret"),
    [
        ("12346", KEY, SECRET),
        ("12345", KEY[:-1] + "0", SECRET),
        ("12345", KEY, "other"),
        ("12345", "", SECRET),
        ("12345", "é", SECRET),
        ("", KEY, SECRET),
        ("x", KEY, SECRET),
        ("-12345", KEY, SECRET),
        ("9" * 5000, KEY, SECRET),
    ],
)
def test_other_keys_are_refused(serial: str, digest: str, secret: str) -> None:
    assert not verify_key(serial, digest, secret)


def test_the_key_is_not_in_the_repr() -> None:
    assert KEY not in repr(parse_flymaster_upload(upload(ROW), now_us=NOW_US))


def test_spaces_after_commas_and_crlf() -> None:
    data = upload(ROW, NEXT).replace(b",", b", ").replace(b"\n", b"\r\n")
    track = parse_flymaster_upload(data, now_us=NOW_US).track
    assert (len(track), track.complete, track.columns["heading"].tolist()) == (2, True, [270.0, 271.0])


@pytest.mark.parametrize("end", [b"EOF", b"EOF\n", b"EOF\r\n", b" EOF \r\n", b"EOF\n\r\n \t\n\n"])
def test_the_end(end: bytes) -> None:
    track = parse_flymaster_upload(upload(ROW, end=end), now_us=NOW_US).track
    assert (len(track), track.complete, track.records) == (1, True, 1)


@pytest.mark.parametrize("behind", [NEXT, NEXT[:-1], NEXT * 2, b"x", b"\0", b"EOF\n", HEAD + NEXT + b"EOF\n"])
@pytest.mark.parametrize("blank", [b"", b"\r\n \n"])
def test_what_stands_behind_the_end_is_one_reject(blank: bytes, behind: bytes) -> None:
    data = upload(ROW, end=b"EOF\n" + blank + behind)
    track = parse_flymaster_upload(data, now_us=NOW_US).track
    assert (len(track), track.complete, track.records) == (1, False, 2)
    assert [(reject.line, reject.reason) for reject in track.rejects] == [(4 + blank.count(b"\n"), Flaw.BEHIND_END.text)]


@pytest.mark.parametrize("cut", [b"", NEXT[:-1], NEXT[:20], b"EO"])
def test_of_a_cut_upload_the_whole_rows_are_kept(cut: bytes) -> None:
    track = parse_flymaster_upload(upload(ROW, end=cut), now_us=NOW_US).track
    assert (len(track), track.complete, track.records, len(track.rejects)) == (1, False, 1, 0)


def test_a_cut_at_any_place_gives_good_rows_or_a_format_error() -> None:
    whole = upload(ROW, NEXT)
    for length in range(len(whole)):
        data = whole[:length]
        if not is_flymaster_upload(data):
            continue
        track = parse_flymaster_upload(data, now_us=NOW_US).track
        assert len(track) == data.count(b"\n", len(HEAD)) - data.endswith(b"EOF\n")
        assert track.complete == (b"EOF" in data)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (b"nonsense\n", "seven fields"),
        (b"1719830000,1719829990,46.1,7.6,1234,36.0\n", "seven fields"),
        (b"1719830000,1719829990,46.1,7.6,1234,36.0,270,1\n", "seven fields"),
        (b"1719830000.5,1719829990,46.1,7.6,1234,36.0,270\n", "upload time"),
        (b"-1,1719829990,46.1,7.6,1234,36.0,270\n", "upload time"),
        (b"1719830000,1719829990.0,46.1,7.6,1234,36.0,270\n", "fix time"),
        (b"1719830000,1719829990000,46.1,7.6,1234,36.0,270\n", "fix time"),
        (b"1719830000,,46.1,7.6,1234,36.0,270\n", "fix time"),
        (b"1719830000,1719829990,nan,7.6,1234,36.0,270\n", "not a number"),
        (b"1719830000,1719829990,46.1,7.6,,36.0,270\n", "not a number"),
        (b"1719830000,1719829990,46.1,7.6,1_000,36.0,270\n", "not a number"),
        (b"1719830000,1719829990,90.1,7.6,1234,36.0,270\n", "latitude"),
        (b"1719830000,1719829990,1e300,7.6,1234,36.0,270\n", "latitude"),
        (b"1719830000,1719829990,46.1,-180.1,1234,36.0,270\n", "longitude"),
        (b"1719830000,1719829990,0.0,0,1234,36.0,270\n", "exactly 0"),
        (b"1719830000,12345,46.1,7.6,1234,36.0,270\n", "before 1980"),
        (b"1719830000,946700000,46.1,7.6,1234,36.0,270\n", "2000-01-01"),
        (b"1719830000,1819829990,46.1,7.6,1234,36.0,270\n", "ahead of now"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_rest_is_good(row: bytes, word: str) -> None:
    track = parse_flymaster_upload(upload(ROW, row, NEXT), now_us=NOW_US).track
    [reject] = track.rejects
    assert (reject.line, word in reject.reason) == (3, True)
    assert (track.records, len(track)) == (3, 2)


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    track = parse_flymaster_upload(upload(b"\r\n", ROW, b"\n", b"bad\n"), now_us=NOW_US).track
    assert ([reject.line for reject in track.rejects], track.records) == ([5], 2)


def test_rows_keep_their_order_and_repeats_are_one_fix() -> None:
    track = parse_flymaster_upload(upload(NEXT, ROW, ROW.replace(b",1234,", b",1300,"), NEXT), now_us=NOW_US).track
    assert (track.columns["elevation"].tolist(), track.duplicates, track.records) == ([1235.0, 1234.0], 2, 4)


def test_an_upload_time_before_the_fix_is_kept() -> None:
    track = parse_flymaster_upload(upload(ROW.replace(b"1719830000,", b"0,")), now_us=NOW_US).track
    assert track.columns["uploaded_at"].tolist() == [0]


@pytest.mark.parametrize(
    ("rows", "elevation"),
    [
        # altitude and position of each row, and what is to be stored
        ([(900, 1), (0, 1), (0, 1)], [900.0, None, None]),
        ([(900, 1), (0, 2), (0, 2)], [900.0, None, None]),
        ([(900, 1), (0, 1), (900, 1)], [900.0, 0.0, 900.0]),  # not at the end
        ([(900, 1), (0, 2)], [900.0, 0.0]),  # has moved: at sea level
        ([(0, 1), (0, 2), (0, 3)], [0.0, 0.0, 0.0]),
        ([(0, 1), (0, 2), (0, 2)], [0.0, None, None]),
        ([(900, 1), (850, 1)], [900.0, 850.0]),
    ],
)
def test_lost_signal_at_the_end(rows: list[tuple[int, int]], elevation: list[float | None]) -> None:
    lines = [b"1719830000,%d,46.%d,7.5,%d,0,0\n" % (1_719_820_000 + i, at, alt) for i, (alt, at) in enumerate(rows)]
    values = parse_flymaster_upload(upload(*lines), now_us=NOW_US).track.columns["elevation"]
    assert [None if np.isnan(value) else value for value in values.tolist()] == elevation


def test_unknown_speed_and_heading_cost_the_value_not_the_fix() -> None:
    track = parse_flymaster_upload(upload(ROW, NEXT.replace(b"18.0,271", b"-1,-1")), now_us=NOW_US).track
    assert np.isnan(track.columns["speed"]).tolist() == np.isnan(track.columns["heading"]).tolist() == [False, True]


def test_there_is_no_negative_zero_among_coordinates() -> None:
    rows = ROW.replace(b"46.123450", b"-0.0"), NEXT.replace(b"7.654327", b"-0")
    columns = parse_flymaster_upload(upload(*rows), now_us=NOW_US).track.columns
    assert not np.signbit(columns["lat"]).any()
    assert not np.signbit(columns["lon"]).any()


def test_an_upload_without_rows() -> None:
    track = parse_flymaster_upload(upload(), now_us=NOW_US).track
    assert (len(track), track.records, track.complete, set(track.columns)) == (0, 0, True, {"time", "lat", "lon"})


@pytest.mark.parametrize("data", [b"", b"EOF", b"\n" + HEAD, b"12345\n", b"12345,xyz\n", b"x," + KEY.encode(), HEAD[:40]])
def test_a_bad_first_line_is_an_error(data: bytes) -> None:
    with pytest.raises(FormatError, match="first line"):
        parse_flymaster_upload(data, now_us=NOW_US)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_after_the_first_line(data: bytes) -> None:
    track = parse_flymaster_upload(HEAD + data, now_us=NOW_US).track
    assert track.records == len(track) + len(track.rejects) + track.duplicates


@given(
    st.lists(
        st.sampled_from([b"1", b"1719829990", b",", b", ", b"-", b".", b"e", b"\n", b"\r\n", b"46.1", b"EOF"]), max_size=80
    )
)
def test_arbitrary_pieces_of_rows(pieces: list[bytes]) -> None:
    track = parse_flymaster_upload(HEAD + b"".join(pieces), now_us=NOW_US).track
    assert track.records == len(track) + len(track.rejects) + track.duplicates


@given(
    st.lists(
        st.tuples(
            st.integers(946_771_200, 1_767_225_600),
            st.floats(-90, 90).filter(lambda lat: abs(lat) > 1e-6),
            st.floats(-180, 180),
            st.integers(1, 9_000),
            st.floats(0, 300),
            st.integers(0, 360),
        ),
        max_size=10,
        unique_by=lambda row: row[0],
    )
)
def test_numbers_are_read_to_the_last_bit(rows: list[tuple[int, float, float, int, float, int]]) -> None:
    lines = [f"1719830000,{','.join(map(repr, row))}\n".encode() for row in rows]
    columns = parse_flymaster_upload(upload(*lines), now_us=NOW_US).track.columns
    assert columns["time"].tolist() == [row[0] * 1_000_000 for row in rows]
    assert columns["lat"].tolist() == [row[1] for row in rows]
    assert columns["lon"].tolist() == [row[2] for row in rows]
    assert columns.get("speed", np.zeros(0)).tolist() == [row[4] / 3.6 for row in rows]
