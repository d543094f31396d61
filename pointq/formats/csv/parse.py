"""From the bytes of a table to a TrackFile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pointq.errors import FormatError
from pointq.formats.csv.clock import Clock, settle
from pointq.formats.csv.header import Header, Source, assign, find_header
from pointq.formats.csv.names import TIME, Quantity
from pointq.formats.csv.rows import Row, encoding_of, read_rows
from pointq.formats.csv.table import Flight, Table
from pointq.formats.flaws import Flaw
from pointq.formats.line_track import Points, join, rejects_of, to_line_track
from pointq.formats.track import Rejects, TrackFile

_BLOCK = 4096
"""Rows that are texts at a time, before they become numbers."""


def parse_csv(data: bytes, *, now_us: int, columns: Mapping[str, str] | None = None) -> TrackFile:
    """Read a table whose first row names its columns, skipping and reporting what is no fix.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. `columns` says
    what a user knows better than the names do: pointq's name (with a unit if need be: ``speed_kmh``, ``time_utc``) to the
    header's. The rows of each device and flight, where columns tell them apart, are a part of their own.

    Raises `FormatError` where there is no header, it has no column for time, latitude or longitude, or `columns` names one
    that does not exist.
    """
    encoding = encoding_of(data)
    header = find_header(data, encoding, tuple((columns or {}).values()))
    if header is None:
        raise FormatError("not a table: expected a first row with the names of the columns, found none")
    sources = assign(header, columns or {})
    rows = (found for found in read_rows(data, encoding, header.separator) if found[0] > header.line)
    flights: dict[Flight, int] = {}
    pieces = list(_pieces(rows, header, sources, flights))
    points = _timed(pieces, sources[TIME])
    return to_line_track("csv", points, [device for device, _ in flights], [piece.unread for piece in pieces], now_us)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Some of the rows."""

    clock: Clock
    points: Points
    """All but their times."""
    unread: Rejects
    """Those that have no fields, or too few."""


def _pieces(
    rows: Iterator[tuple[int, Row]], header: Header, sources: Mapping[Quantity, Source], flights: dict[Flight, int]
) -> Iterator[_Piece]:
    """All rows, block by block, one block at least."""
    block = list(islice(rows, _BLOCK))
    while True:
        fitted = [(line, _fit(row, len(header.names))) for line, row in block]
        whole = [(line, row) for line, row in fitted if not isinstance(row, Flaw)]
        unread = [(line, row) for line, row in fitted if isinstance(row, Flaw)]
        table = Table(_columns([row for _, row in whole], header), sources, decimal_comma=header.separator != ",")
        lines = np.array([line for line, _ in whole], np.int64)
        points = Points(table.values(), np.zeros(len(lines), np.uint8), table.tracks(flights), lines)
        yield _Piece(table.clock(), points, rejects_of(unread))
        block = list(islice(rows, _BLOCK))
        if not block:
            return


def _fit(row: Row, width: int) -> Row:
    """A row of as many fields as the header has; empty ones behind them, which a separator at the end makes, do not count.

    A short row may be one that was cut in the midst of a number.
    """
    if isinstance(row, Flaw) or len(row) == width:
        return row
    return row[:width] if len(row) > width and not any(map(str.strip, row[width:])) else Flaw.COLUMN_COUNT


def _columns(rows: list[list[str]], header: Header) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True)) if rows else [() for _ in header.names]


def _timed(pieces: list[_Piece], source: Source) -> Points:
    """All points with their times, which only all of them together tell."""
    points = join([piece.points for piece in pieces])
    time, flaws = settle([piece.clock for piece in pieces], source.meaning.factor)
    return Points({"time": time, **points.columns}, flaws, points.part, points.lines)
