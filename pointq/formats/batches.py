"""From the fixes of a file to a PointBatch: which flights they are, and which columns they fill in each kind of point."""

import hashlib
from bisect import bisect_right
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pointq.errors import UsageError
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
    """The flights in a file: one begins at each part, each new date record and after each gap of over `gap_seconds`.

    A gap is counted from the latest fix so far, so that a fix out of order makes none.
    """
    edges = sorted({0, *track.breaks, *(part.first for part in track.parts), len(track)})
    return tuple(span for start, stop in pairwise(edges) for span in _at_gaps(track.columns["time"], start, stop, gap_seconds))


def to_batch(track: TrackFile, kind: Kind, flight_id: str | None = None, device_id: str | None = None) -> PointBatch:
    """Each part of the file as a flight of that kind, most often one; its id is the fingerprint unless one is given.

    What the kind has no column for is left out, and a flight that is there twice is taken once. A file without fixes gives
    an empty batch without flights. Raises UsageError where an id is given for several flights or devices.
    """
    if flight_id is not None and len(track.parts) > 1:
        raise UsageError(
            f"--flight-id is for one flight, and the file holds {len(track.parts)} tracks",
            hint="leave it out: each track gets an id of its own",
        )
    return _batch(track, kind, _whole_parts(track), flight_id, device_id)


def to_split_batch(track: TrackFile, kind: Kind, gap_seconds: float, device_id: str | None = None) -> PointBatch:
    """The fixes of the file as the flights that `split` finds, the id of each the fingerprint of its own fixes.

    Raises UsageError where one `device_id` is given and the file names several devices.
    """
    return _batch(track, kind, split(track, gap_seconds), None, device_id)


def _whole_parts(track: TrackFile) -> tuple[Span, ...]:
    edges = sorted({0, *(part.first for part in track.parts), len(track)})
    return tuple(pairwise(edges))


def _batch(track: TrackFile, kind: Kind, spans: tuple[Span, ...], flight_id: str | None, device_id: str | None) -> PointBatch:
    devices = _devices(track, spans, device_id)
    ids = [fingerprint(track, span) if flight_id is None else flight_id for span in spans]
    # equal ids are equal fixes, so nothing is lost with the later ones
    unique = {id_: place for place, id_ in reversed(list(enumerate(ids)))}
    places = sorted(unique.values())
    flights = tuple(Flight.of(kind.name, ids[place], devices[place]) for place in places)
    lengths = [spans[place][1] - spans[place][0] for place in places]
    flight = np.repeat(np.arange(len(places), dtype=np.int32), lengths)
    columns = _columns(track, kind)
    if len(places) < len(spans):
        rows = np.concatenate([np.arange(*spans[place]) for place in places])
        columns = {name: values[rows] for name, values in columns.items()}
    return PointBatch(kind, flights, flight, columns)


def _devices(track: TrackFile, spans: tuple[Span, ...], device_id: str | None) -> list[str | None]:
    """The device of each span: the one given, else what the file says."""
    named = {part.device_id for part in track.parts} - {None}
    if device_id is not None and len(named) > 1:
        raise UsageError(
            f"--device-id is for one device, and the file names {len(named)}",
            hint="leave it out: each track gets the device that the file names",
        )
    if device_id is not None or not track.parts:
        return [device_id] * len(spans)
    firsts = [part.first for part in track.parts]
    return [track.parts[bisect_right(firsts, start) - 1].device_id for start, _ in spans]


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
