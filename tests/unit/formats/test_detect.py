"""Which format a file has, and that the names of files do not matter."""

from pathlib import Path

import pytest

from pointq.errors import FormatError
from pointq.formats.detect import Hints, detect, parse

FLYMASTER = b"12345, " + b"a" * 64 + b"\r\n1719830000,1719829990,46.1,7.6,1234,36.0,270\r\nEOF"
IGC = b"AXXX001\r\nHFDTE010724\r\nB1201054607407N00739259EA0123401250\r\n"


def test_every_sample_is_igc(igc_sample: Path) -> None:
    assert detect(igc_sample.read_bytes()).name == "igc"


@pytest.mark.parametrize(("data", "name"), [(IGC, "igc"), (FLYMASTER, "flymaster"), (b"\xef\xbb\xbf" + FLYMASTER, "flymaster")])
def test_files_are_known_by_content(data: bytes, name: str, now_us: int) -> None:
    assert detect(data).name == name
    track = parse(data, Hints(now_us, "misleading.gpx"))
    assert (track.format, len(track)) == (name, 1)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b" \r\n", "white space"),
        (b"PK\x03\x04...", "a zip archive"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<?xml version='1.0'?>", "XML or HTML"),
        (b'  {"a": 1}', "JSON"),
        (b"[1]", "JSON"),
        (b"\xa0\xa0\x3f", "Flymaster binary packets"),
        (b"Dear Sir or Madam", "begins with b'Dear Sir or Mada'"),
        (b"time,lat,lon\n1,2,3\n", "begins with"),
        (b"12345,abc\n", "begins with"),
    ],
)
def test_what_is_neither_is_named(data: bytes, found: str, now_us: int) -> None:
    with pytest.raises(FormatError, match="unknown format: found") as caught:
        parse(data, Hints(now_us))
    assert found in caught.value.message
    assert "IGC" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["fells_loop.gpx", "flymaster-livedata.json", "xcontest-live-track.json"])
def test_other_samples_are_not_mistaken(igc_samples: list[Path], name: str) -> None:
    data = (igc_samples[0].parents[1] / "other" / name).read_bytes()
    with pytest.raises(FormatError, match=r"JSON|XML"):
        detect(data)


def test_a_date_in_the_name_reaches_the_parser(now_us: int) -> None:
    track = parse(IGC.replace(b"HFDTE010724", b"HFXXX"), Hints(now_us, "2024-07-02.igc"))
    assert [day.isoformat() for day in track.dates] == ["2024-07-02"]
