"""Which format a file has, and that the names of files do not matter."""

from collections.abc import Callable
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
        (b"<?xml version='1.0'?><kml/>", "XML or HTML"),
        (b'  {"a": 1}', "JSON"),
        (b"[1]", "JSON"),
        (b"Dear Sir or Madam", "begins with b'Dear Sir or Mada'"),
        (b"time,x\n1,2\n", "begins with"),
        (b"12345,abc\n", "begins with"),
    ],
)
def test_what_is_neither_is_named(data: bytes, found: str, now_us: int) -> None:
    with pytest.raises(FormatError, match="unknown format: found") as caught:
        parse(data, Hints(now_us))
    assert found in caught.value.message
    assert "IGC" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("flymaster-livedata.json", "flymaster-live"),
        ("xcontest-live-track.json", "xcontest"),
        ("xcontest-live-users.json", "xcontest"),
        ("fells_loop.gpx", "gpx"),
    ],
)
def test_other_samples(other_sample: Callable[[str], bytes], name: str, format_name: str) -> None:
    assert detect(other_sample(name)).name == format_name
    assert detect(b"\xef\xbb\xbf \r\n" + other_sample(name)).name == format_name


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"type":"Point"}', "geojson"),
        (b'{"features": [], "type": "FeatureCollection"}', "geojson"),
        (b'{"locations": [{"type": "Feature"}]}', "geojson"),
        (b'{"type" : "Linestring"', "geojson"),
        (b'{"users": {"x": {"lastLoc": null}}}', "xcontest"),
        (b'{ "5518" : [', "flymaster-live"),
        (b"\xa0\xa0\x3f", "flymaster-binary"),
        (b"\xa1\xa1", "flymaster-binary"),
        (b"\xa2\xa2", "flymaster-binary"),
    ],
)
def test_the_beginning_is_enough(data: bytes, name: str) -> None:
    assert detect(data).name == name


@pytest.mark.parametrize(
    "data", [b'{"x": 1}', b'{"type": "Polygon"}', b'{"5518": {}}', b'{"a5518": []}', b"{}", b"[[]]", b'{"type": "Topology"}']
)
def test_other_json_is_not_mistaken(data: bytes) -> None:
    with pytest.raises(FormatError, match="unknown format: found JSON"):
        detect(data)


def test_a_date_in_the_name_reaches_the_parser(now_us: int) -> None:
    track = parse(IGC.replace(b"HFDTE010724", b"HFXXX"), Hints(now_us, "2024-07-02.igc"))
    assert [day.isoformat() for day in track.dates] == ["2024-07-02"]
