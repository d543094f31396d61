"""Which format a file has, by its content: names lie."""

import datetime as dt
from typing import Literal

from pointq.errors import FormatError
from pointq.formats.flymaster import is_flymaster_upload, parse_flymaster_upload
from pointq.formats.igc import looks_like_igc, parse_igc
from pointq.formats.track import TrackFile

FormatName = Literal["igc", "flymaster"]

_KNOWN_FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"\xa0\xa0": "Flymaster binary packets",
    b"<": "XML or HTML",
    b"{": "JSON",
    b"[": "JSON",
}
_SHOWN_BYTES = 16


def detect(data: bytes) -> FormatName:
    """The format of those bytes.

    Raises `FormatError`, which says what was expected and what was found, where it is none that pointq reads.
    """
    if is_flymaster_upload(data):
        return "flymaster"
    if looks_like_igc(data):
        return "igc"
    raise FormatError(
        f"unknown format: expected an IGC file or a Flymaster upload, found {_describe(data)}",
        hint="pointq reads IGC files (lines such as AXXX…, HFDTE…, B…) and the text that Flymaster instruments upload",
    )


def parse(data: bytes, *, now_us: int, file_name: str = "", date: dt.date | None = None) -> TrackFile:
    """Read a file of whichever format it is; see `parse_igc` and `parse_flymaster_upload` for what is rejected.

    Raises `FormatError` where the format is unknown or no date is known.
    """
    if detect(data) == "flymaster":
        return parse_flymaster_upload(data, now_us=now_us).track
    return parse_igc(data, now_us=now_us, file_name=file_name, date=date)


def _describe(data: bytes) -> str:
    start = data.lstrip()
    if not start:
        return "nothing but white space" if data else "an empty file"
    foreign = next((name for magic, name in _KNOWN_FOREIGN.items() if start.startswith(magic)), None)
    return foreign or f"a file that begins with {data[:_SHOWN_BYTES]!r}"
