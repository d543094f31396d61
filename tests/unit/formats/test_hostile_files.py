"""Files made to hurt: what they cost in memory and operations grows with their size, and not more than that."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from pointq.errors import FormatError
from pointq.formats.detect import Hints, parse
from pointq.formats.igc import parse_igc
from pointq.formats.igc.lines import MOST_DECLARATIONS, MOST_LINES

NOW_US = 1_767_225_600_000_000
MEBIBYTE = 2**20
SMALL, GROWTH = MEBIBYTE // 8, 4
RECORD = b"B1201054607407N00739259EA0123401250"
IGC = b"AXXX001\nHFDTE010724\n"
UPLOAD = b"1," + b"a" * 64 + b"\n"

Make = Callable[[int], bytes]


def repeated(head: bytes, piece: bytes, tail: bytes = b"") -> Make:
    return lambda size: head + piece * (size // len(piece)) + tail


def declared_differently(size: int) -> bytes:
    entries = [b"I01%02d%02dLAD\n%b12345678\n" % (36 + i % 50, 36 + i % 50 + i // 50 % 8, RECORD) for i in range(size // 55)]
    return IGC + b"".join(entries)


def out_of_order(size: int) -> bytes:
    clocks = (b"B%02d%02d%02d%b\n" % (i % 2 * 12, i // 60 % 60, i % 60, RECORD[7:]) for i in range(size // 36))
    return IGC + b"".join(clocks)


def all_at_one_moment(size: int) -> bytes:
    return IGC + b"".join(RECORD[:15] + b"%08d" % (7_000_000 + i % 30_000) + RECORD[23:] + b"\n" for i in range(size // 36))


FILES: dict[str, Make] = {
    "one B record": repeated(IGC + b"B", b"1"),
    "one line of records": repeated(IGC, RECORD),
    "line ends": repeated(IGC, b"\n"),
    "carriage returns": repeated(IGC, b"\r"),
    "both": repeated(IGC, b"\r\n"),
    "I and B by turns": repeated(IGC, b"I013638LAD\n" + RECORD + b"123\n"),
    "I and B, all different": declared_differently,
    "I without a count": repeated(IGC, b"I\n", RECORD),
    "I that says nothing": repeated(IGC, b"I00\n", RECORD),
    "one I record": repeated(IGC + b"I99", b"3636LAD", b"\n" + RECORD),
    "H.DTE": repeated(IGC, b"HFDTE010724\n", RECORD),
    "one H.DTE record": repeated(IGC + b"HFDTE", b" ", b"010724\n" + RECORD),
    "H.FTY": repeated(IGC, b"HFFTY\n", RECORD),
    "one H.FTY record": repeated(IGC + b"HFFTY", b"\xe9", b"\n" + RECORD),
    "A": repeated(IGC, b"A\n", RECORD),
    "L": repeated(IGC, b"LXXX\n", RECORD),
    "NUL": repeated(IGC, b"\0"),
    "NUL and a letter": repeated(IGC, b"\0\0x\n"),
    "B alone": repeated(IGC, b"B\n"),
    "the same fix": repeated(IGC, RECORD + b"\n"),
    "midnights": out_of_order,
    "one second": all_at_one_moment,
    "upload: line ends": repeated(UPLOAD, b"\n"),
    "upload: short rows": repeated(UPLOAD, b"xx\n"),
    "upload: commas": repeated(UPLOAD, b","),
    "upload: one row": repeated(UPLOAD, b"1,1700000000,1,1,1,1,1\n"),
    "upload: one number": repeated(UPLOAD, b"1", b",1,1,1,1,1,1\n"),
    "nothing known": repeated(b"", b"x"),
    "nothing known, with line ends": repeated(b"", b"x\n"),
}


def read(data: bytes) -> None:
    try:
        track = parse(data, Hints(NOW_US))
    except FormatError:
        return
    assert track.records == len(track) + len(track.rejects) + track.duplicates


def peak_bytes(data: bytes) -> int:
    """The most memory that reading takes besides the file itself; NumPy's arrays are counted too."""
    tracemalloc.start()
    try:
        read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls(data: bytes) -> int:
    """How many functions are called: a measure of time that no other process disturbs."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        read(data)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", FILES)
def test_four_times_the_file_takes_four_times_the_memory_and_calls(name: str) -> None:
    small, large = FILES[name](SMALL), FILES[name](SMALL * GROWTH)
    read(small)  # whatever is made once and kept
    assert calls(large) <= GROWTH * 1.1 * calls(small) + 1_000
    assert peak_bytes(large) <= GROWTH * 1.2 * peak_bytes(small) + MEBIBYTE


@pytest.mark.parametrize("name", FILES)
def test_memory_is_a_small_multiple_of_the_file(name: str) -> None:
    data = FILES[name](SMALL * GROWTH)
    assert peak_bytes(data) <= 60 * len(data), "eight bytes a position, for some positions a line of two bytes"


@pytest.mark.parametrize("name", ["line ends", "both", "L", "one line of records", "the same fix", "midnights", "one second"])
def test_no_line_is_looked_at_by_itself(name: str) -> None:
    assert calls(FILES[name](SMALL * GROWTH)) <= calls(FILES[name](SMALL)) + 20


@pytest.mark.parametrize(("piece", "name"), [(b"I00\n", "I"), (b"HFDTE010724\n", r"H\.DTE")])
def test_more_declarations_than_any_recorder_writes_are_refused(piece: bytes, name: str) -> None:
    data = IGC.replace(b"HFDTE010724\n", b"") + piece * MOST_DECLARATIONS + b"HFDTE010724\n" * (piece == b"I00\n") + RECORD
    assert len(parse(data, Hints(NOW_US))) == 1
    with pytest.raises(FormatError, match=rf"100,001 {name} records in one file: at most 100,000 are read"):
        parse(data + b"\n" + piece, Hints(NOW_US))


def test_more_records_than_the_largest_file_can_hold_are_refused() -> None:
    with pytest.raises(FormatError, match=r"more than 8,388,608 records"):
        parse_igc(IGC + b"B\n" * MOST_LINES, now_us=NOW_US)


_WITHIN = """
import resource
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from pointq.formats.detect import Hints, parse
data = {head!r} + {piece!r} * ({size} // len({piece!r}))
track = parse(data, Hints({now}))
print(len(track), len(track.rejects))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces RLIMIT_AS")
@pytest.mark.parametrize(("head", "piece"), [(IGC + b"B", b"1"), (IGC, b"\n"), (IGC, b"LXXX\n"), (IGC, b"\0")])
def test_the_largest_file_in_little_memory(head: bytes, piece: bytes) -> None:
    """256 MiB in one line, in empty lines, in comments, in zeros: within 1.5 GiB of addresses, libraries included."""
    code = _WITHIN.format(limit=2**30 + 2**29, head=head, piece=piece, size=256 * MEBIBYTE, now=NOW_US)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[0] == "0"
