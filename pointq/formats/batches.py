"""From the fixes of a file to a PointBatch: which flights they are, and which columns they fill in each kind of point."""

import hashlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pointq.formats.track import TrackFile
from pointq.points.batch import Array, PointBatch, is_null
from pointq.points.flights import Flight
from pointq.points.kinds import SCORING, UPLOAD, ColumnType, Kind

Span = tuple[int, int]
"""Fixes of a file, from the first index up to, but not including, the second."""

_SCORING_NAMES = {"gps_alt": "elevation", "pressure_alt": "barometric_altitude", "speed": "speed"}
"""Scoring's columns and the file's. Its `elevation` is the ground's, which no file knows; LAD and LOD are in lat and lon."""


def fingerprint(track: TrackFile, span: Span | None = None) -> str:
    """What identifies a flight by its fixes alone: the first 16 hex digits of a SHA-256.

    The bytes hashed: for each column of the kind `upload`, in its order, that has a value in any of the fixes, its name in
    ASCII, a NUL byte, and its values in order of (time, lat, lon), little-endian: int64 microseconds for times, float64
    (NaN 0x7FF8000000000000 for NULL, no negative zero), int8 (-1 for NULL). So name, headers, line ends and the order of
    lines do not matter, and equal fixes are the same flight; nor does it matter when an instrument sent them.
    """
    start, stop = span or (0, len(track))
    columns = {name: values[start:stop] for name, values in track.columns.items()}
    order = np.lexsort((columns["lon"], columns["lat"], columns["time"]))
    digest = hashlib.sha256()
    for column in UPLOAD.columns:
        values = columns.get(column.name)
        if values is None or (not column.required and is_null(column, values).all()):
            continue
        digest.update(column.name.encode("ascii") + b"\0")
        digest.update(_canonical(values[order]))
    return digest.hexdigest()[:16]


def split(track: TrackFile, gap_seconds: float) -> tuple[Span, ...]:
    """The flights in a file: a new one begins at each new date record and after each gap of more than `gap_seconds`.

    A gap is counted from the latest fix so far, so that a fix out of order makes none.
    """
    edges = sorted({0, *track.breaks, len(track)})
    return tuple(span for start, stop in pairwise(edges) for span in _at_gaps(track.columns["time"], start, stop, gap_seconds))


def to_batch(track: TrackFile, kind: Kind, flight_id: str | None = None, device_id: str | None = None) -> PointBatch:
    """All fixes of the file as one flight of that kind; its id is the fingerprint unless one is given.

    What the kind has no column for is left out. A file without fixes gives an empty batch without flights.
    """
    spans: tuple[Span, ...] = ((0, len(track)),) if len(track) else ()
    ids = (flight_id,) if flight_id is not None and spans else None
    return _batch(track, kind, spans, ids, device_id)


def to_split_batch(track: TrackFile, kind: Kind, gap_seconds: float, device_id: str | None = None) -> PointBatch:
    """The fixes of the file as the flights that `split` finds, the id of each the fingerprint of its own fixes."""
    return _batch(track, kind, split(track, gap_seconds), None, device_id)


def _batch(
    track: TrackFile, kind: Kind, spans: tuple[Span, ...], ids: tuple[str, ...] | None, device_id: str | None
) -> PointBatch:
    flights = tuple(
        Flight.of(kind.name, flight_id, device_id) for flight_id in ids or [fingerprint(track, span) for span in spans]
    )
    lengths = [stop - start for start, stop in spans]
    flight = np.repeat(np.arange(len(spans), dtype=np.int32), lengths)
    return PointBatch(kind, flights, flight, _columns(track, kind))


def _columns(track: TrackFile, kind: Kind) -> dict[str, Array]:
    if kind is not SCORING:
        return {name: values for name, values in track.columns.items() if name in kind.by_name}
    columns = {name: track.columns[name] for name in ("time", "lat", "lon")}
    columns |= {name: track.columns[own] for name, own in _SCORING_NAMES.items() if own in track.columns}
    if "valid" in track.columns:
        columns["validity"] = _validity(track.columns["valid"])
    return columns


def _validity(valid: NDArray[np.int8]) -> Array:
    """A or V, as IGC writes it, shape (n,)."""
    letters = np.array([b"V", b"A", ColumnType.TEXT.value.null], "S1")
    return letters[valid]


def _at_gaps(time: NDArray[np.int64], start: int, stop: int, gap_seconds: float) -> list[Span]:
    """The parts of that span between gaps."""
    times = time[start:stop]
    latest = np.maximum.accumulate(times)
    after = np.flatnonzero(times[1:] - latest[:-1] > gap_seconds * 1e6) + start + 1
    edges = [start, *after.tolist(), stop]
    return list(pairwise(edges))


def _canonical(values: Array) -> bytes:
    """One encoding for each value: IEEE 754 has many NaNs and two zeros."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    return values.tobytes()
