"""Which format a file has, by its content: names lie."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pointq.errors import FormatError
from pointq.formats.csv import looks_like_csv, parse_csv
from pointq.formats.fit import is_fit, parse_fit
from pointq.formats.flymaster import is_flymaster_upload, parse_flymaster_upload
from pointq.formats.flymaster_binary import looks_like_packets, parse_flymaster_binary
from pointq.formats.flymaster_live import is_flymaster_live, parse_flymaster_live
from pointq.formats.geojson import looks_like_geojson, parse_geojson
from pointq.formats.gpx import looks_like_gpx, parse_gpx
from pointq.formats.igc import looks_like_igc, parse_igc
from pointq.formats.track import TrackFile
from pointq.formats.xcontest import looks_like_xcontest, parse_xcontest

_KNOWN_FOREIGN = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"<": "XML or HTML",
    b"{": "JSON",
    b"[": "JSON",
}
_SHOWN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a file besides its bytes."""

    now_us: int
    """The present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected."""
    file_name: str = ""
    date: dt.date | None = None
    """For files that know no date."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """For tables: pointq's name of a column to the name that the file's header gives it."""


Recognises = Callable[[bytes, Mapping[str, str]], bool]
"""Whether bytes are of a format; the mapping is that of `Hints.columns`, by which any table can be read."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file."""

    name: str
    """As reports and the ledger give it."""
    title: str
    """For a sentence: what it is."""
    recognises: Recognises
    parse: Callable[[bytes, Hints], TrackFile]
    """Raises FormatError."""
    suffixes: tuple[str, ...]
    """Ends of the names of such files, in lower case: what is taken out of a folder or an archive."""


def _by_content(recognises: Callable[[bytes], bool]) -> Recognises:
    return lambda data, _columns: recognises(data)


FORMATS = (
    Format(
        "fit",
        "FIT (watches and bike computers)",
        _by_content(is_fit),
        lambda data, hints: parse_fit(data, now_us=hints.now_us),
        (".fit",),
    ),
    Format(
        "gpx",
        "GPX with a recorded track",
        _by_content(looks_like_gpx),
        lambda data, hints: parse_gpx(data, now_us=hints.now_us),
        (".gpx",),
    ),
    Format(
        "flymaster",
        "the text that Flymaster instruments upload",
        _by_content(is_flymaster_upload),
        lambda data, hints: parse_flymaster_upload(data, now_us=hints.now_us).track,
        (".txt",),
    ),
    Format(
        "flymaster-binary",
        "the packets of Flymaster instruments",
        _by_content(looks_like_packets),
        lambda data, hints: parse_flymaster_binary(data, now_us=hints.now_us),
        (".bin",),
    ),
    Format(
        "flymaster-live",
        "JSON of the Flymaster live server",
        _by_content(is_flymaster_live),
        lambda data, hints: parse_flymaster_live(data, now_us=hints.now_us),
        (".json",),
    ),
    Format(
        "xcontest",
        "live data of XContest",
        _by_content(looks_like_xcontest),
        lambda data, hints: parse_xcontest(data, now_us=hints.now_us),
        (".json", ".geojson"),
    ),
    Format(
        "geojson",
        "GeoJSON with times",
        _by_content(looks_like_geojson),
        lambda data, hints: parse_geojson(data, now_us=hints.now_us),
        (".geojson", ".json"),
    ),
    Format(
        "igc",
        "IGC (lines such as AXXX…, HFDTE…, B…)",
        _by_content(looks_like_igc),
        lambda data, hints: parse_igc(data, now_us=hints.now_us, file_name=hints.file_name, date=hints.date),
        (".igc",),
    ),
    Format(
        "csv",
        "CSV whose first row names time, latitude and longitude (--map, if by other names)",
        looks_like_csv,
        lambda data, hints: parse_csv(data, now_us=hints.now_us, columns=hints.columns),
        (".csv", ".tsv", ".txt"),
    ),
)
"""All that are read, in the order in which they are tried: what is surest first."""

SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
"""Of the names of all files that are read."""


def detect(data: bytes, columns: Mapping[str, str] | None = None) -> Format:
    """The format of those bytes; `columns` is the mapping that a user gave for tables, if one.

    Raises `FormatError`, which says what was expected and what was found, where it is none that pointq reads.
    """
    for known in FORMATS:
        if known.recognises(data, columns or {}):
            return known
    raise FormatError(
        f"unknown format: found {_describe(data)}", hint=f"pointq reads {'; '.join(known.title for known in FORMATS)}"
    )


def parse(data: bytes, hints: Hints) -> TrackFile:
    """Read a file of whichever format it is; the parser of each format says what it rejects.

    Raises `FormatError` where the format is unknown, its file is no such file after all, or no date is known.
    """
    return detect(data, hints.columns).parse(data, hints)


def _describe(data: bytes) -> str:
    start = data.lstrip()
    if not start:
        return "nothing but white space" if data else "an empty file"
    foreign = next((name for magic, name in _KNOWN_FOREIGN.items() if start.startswith(magic)), None)
    return foreign or f"a file that begins with {data[:_SHOWN_BYTES]!r}"
