"""Which format a file has, by its content: names lie."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from pointq.errors import FormatError, NoTrack, UnknownFormat
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
        _by_content(is_fit),
        lambda data, hints: parse_fit(data, now_us=hints.now_us),
        (".fit",),
    ),
    Format(
        "gpx",
        _by_content(looks_like_gpx),
        lambda data, hints: parse_gpx(data, now_us=hints.now_us),
        (".gpx",),
    ),
    Format(
        "flymaster",
        _by_content(is_flymaster_upload),
        lambda data, hints: parse_flymaster_upload(data, now_us=hints.now_us).track,
        (".txt",),
    ),
    Format(
        "flymaster-binary",
        _by_content(looks_like_packets),
        lambda data, hints: parse_flymaster_binary(data, now_us=hints.now_us),
        (".bin",),
    ),
    Format(
        "flymaster-live",
        _by_content(is_flymaster_live),
        lambda data, hints: parse_flymaster_live(data, now_us=hints.now_us),
        (".json",),
    ),
    Format(
        "xcontest",
        _by_content(looks_like_xcontest),
        lambda data, hints: parse_xcontest(data, now_us=hints.now_us),
        (".json", ".geojson"),
    ),
    Format(
        "geojson",
        _by_content(looks_like_geojson),
        lambda data, hints: parse_geojson(data, now_us=hints.now_us),
        (".geojson", ".json"),
    ),
    Format(
        "igc",
        _by_content(looks_like_igc),
        lambda data, hints: parse_igc(data, now_us=hints.now_us, file_name=hints.file_name, date=hints.date),
        (".igc",),
    ),
    Format(
        "csv",
        looks_like_csv,
        lambda data, hints: parse_csv(data, now_us=hints.now_us, columns=hints.columns),
        (".csv", ".tsv", ".txt"),
    ),
)
"""All that are read, in the order in which they are tried: what is surest first."""

SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
"""Of the names of all files that are read."""

_ONLY_OF_TRACKS = frozenset({".fit", ".geojson", ".gpx", ".igc"})
"""Those of them that hardly anything else has."""


def detect(data: bytes, columns: Mapping[str, str] | None = None) -> Format:
    """The format of those bytes; `columns` is the mapping that a user gave for tables, if one.

    Raises `UnknownFormat`, which says what was expected and what was found, where it is none that pointq reads.
    """
    for known in FORMATS:
        if known.recognises(data, columns or {}):
            return known
    raise UnknownFormat(
        f"unknown format: found {_describe(data)}",
        hint="pointq reads IGC, GPX, FIT, GeoJSON, files of Flymaster and XContest, and tables whose first row names time, "
        "latitude and longitude (--map, if by other names)",
    )


def parse(data: bytes, hints: Hints) -> TrackFile:
    """Read a file of whichever format it is; the parser of each format says what it rejects.

    Raises `FormatError` where the format is unknown, its file is no such file after all, or no date is known.
    """
    return detect(data, hints.columns).parse(data, hints)


def is_foreign(error: FormatError, file_name: str) -> bool:
    """Whether a file that met this error was plainly never meant to be a track: a table of results beside the flights, say.

    One that is named as only tracks are, and is none, is a broken one.
    """
    suffix = PurePath(file_name).suffix.lower()
    return isinstance(error, NoTrack) or (isinstance(error, UnknownFormat) and suffix not in _ONLY_OF_TRACKS)


def _describe(data: bytes) -> str:
    start = data.lstrip()
    if not start:
        return "nothing but white space" if data else "an empty file"
    foreign = next((name for magic, name in _KNOWN_FOREIGN.items() if start.startswith(magic)), None)
    return foreign or f"a file that begins with {data[:_SHOWN_BYTES]!r}"
