"""Line ends, damage, headers: what surrounds the fixes."""

from collections.abc import Callable

import pytest

from pointq.errors import FormatError
from pointq.formats.igc import looks_like_igc, parse_igc
from pointq.formats.track import TrackFile

ParseIgc = Callable[..., TrackFile]

HEADER = "AXXX001\nHFDTE010724\n"
FIRST = "B1201054607407N00739259EA0123401250"
SECOND = "B1201064607408N00739260EA0123501251"


def parse(text: str | bytes, now_us: int) -> TrackFile:
    return parse_igc(text if isinstance(text, bytes) else text.encode(), now_us=now_us)


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n\r"])
def test_any_line_end(igc: ParseIgc, eol: str) -> None:
    assert len(igc(FIRST, SECOND, eol=eol)) == 2


def test_mixed_line_ends_and_no_final_one(now_us: int) -> None:
    assert len(parse(f"AXXX001\r\nHFDTE010724\r{FIRST}\n\n{SECOND}", now_us)) == 2


@pytest.mark.parametrize(("eol", "line"), [("\n", 4), ("\r\n", 4), ("\r", 4), ("\n\n", 7)])
def test_line_numbers_are_an_editors(igc: ParseIgc, eol: str, line: int) -> None:
    assert [reject.line for reject in igc(FIRST, "Bad", SECOND, eol=eol).rejects] == [line]


def test_a_byte_order_mark_is_no_part_of_the_first_line(now_us: int) -> None:
    track = parse(b"\xef\xbb\xbf" + f"{HEADER}{FIRST}".encode(), now_us)
    assert (track.logger, len(track)) == ("XXX001", 1)


def test_long_lines_and_other_records_between(igc: ParseIgc) -> None:
    track = igc(FIRST, "LXXX" + "x" * 200, "K120105", "E120105PEV", "F1201050304", SECOND + "9" * 200, "GABCB12" + "x" * 70)
    assert (len(track), track.records) == (2, 2)


def test_no_a_and_no_g_record(now_us: int) -> None:
    track = parse(f"HFDTE010724\n{FIRST}\n", now_us)
    assert (track.logger, len(track)) == (None, 1)


def test_a_block_of_nul_bytes_costs_the_records_it_hit(now_us: int) -> None:
    damaged = SECOND[:20] + "\0" * 500 + SECOND[25:]
    track = parse(f"{HEADER}{FIRST}\n{damaged}\n{SECOND}\n", now_us)
    assert ([reject.line for reject in track.rejects], len(track)) == ([4], 2)


def test_a_block_of_nul_bytes_over_a_line_end_is_reported(now_us: int) -> None:
    track = parse(f"{HEADER}{FIRST}\n" + "\0" * 500 + f"01250\n{SECOND}\n", now_us)
    [reject] = track.rejects
    assert (reject.line, "NUL" in reject.reason, len(track)) == (4, True, 2)


def test_padding_with_nul_bytes_is_no_record(now_us: int) -> None:
    track = parse(f"{HEADER}{FIRST}\n" + "\0" * 500, now_us)
    assert (track.records, len(track)) == (1, 1)


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("Fluggerät".encode(), "Fluggerät"),
        ("Fluggerät".encode("cp1252"), "Fluggerät"),
        (b"\x81\x8d", "\ufffd\ufffd"),  # in neither
        (b" A\0B\x07 ", "A B"),
    ],
)
def test_headers_are_utf8_or_cp1252(now_us: int, encoded: bytes, text: str) -> None:
    data = b"AXXX001 FLIGHT:1\nHFDTE010724\nHFFTYFRTYPE:" + encoded + b"\n" + FIRST.encode()
    track = parse(data, now_us)
    assert (track.logger, track.device) == ("XXX001 FLIGHT:1", text)


@pytest.mark.parametrize("record", ["HFFTYFRTYPE: Some,Thing", "HFFTYFRType:Some,Thing", "HFFTYSome,Thing", "HOFTY:Some,Thing"])
def test_the_recorders_type(igc: ParseIgc, record: str) -> None:
    assert igc(FIRST, header=("HFDTE010724", record)).device == "Some,Thing"


@pytest.mark.parametrize(
    "data", [b"AXXX", b"AFL", b"HFDTE330203", b"HFDTE33", b"I0a", b"I02AAA0102BBB030", b"AXXX001\r\nHFDTE010724\r\nGabc"]
)
def test_igc_without_fixes_is_no_error(now_us: int, data: bytes) -> None:
    track = parse(data, now_us)
    assert (len(track), track.records, set(track.columns)) == (0, 0, {"time", "lat", "lon"})


def test_igc_with_nothing_but_bad_records_needs_no_date(now_us: int) -> None:
    track = parse("AXXX001\nB1201", now_us)
    assert (len(track), len(track.rejects)) == (0, 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"\0" * 100, b"Hello\nWorld\n", b"<gpx></gpx>", b'{"a": 1}', b"\x89PNG\r\n\x1a\n", b"lat,lon\n46,7\n"],
)
def test_foreign_bytes_are_refused(now_us: int, data: bytes) -> None:
    with pytest.raises(FormatError, match="not an IGC file"):
        parse(data, now_us)


def test_one_fix_in_a_heap_of_foreign_lines_is_igc(now_us: int) -> None:
    data = b"# exported by something\n" * 1000 + f"HFDTE010724\n{FIRST}\n".encode()
    assert looks_like_igc(data)
    assert len(parse(data, now_us)) == 1
