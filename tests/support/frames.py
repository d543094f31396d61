"""Batches and their frames, as the ingest server makes them."""

import numpy as np

from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import UPLOAD, Kind

START_US = 1_748_772_000_000_000
"""Of the first point: 2025-06-01T10:00:00Z, in microseconds since 1970."""


def batch(count: int, flight_id: str = "f", kind: Kind = UPLOAD, *, start: int = 0) -> PointBatch:
    """Make points of one flight, a second apart, none of them twice; `start` seconds after those of another batch."""
    seconds = np.arange(start, start + count, dtype=np.int64)
    columns = {
        "time": START_US + seconds * 1_000_000,
        "lat": 45.0 + seconds * 1e-4,
        "lon": 6.0 + seconds * 1e-4,
        kind.altitude: 1_000.0 + seconds,
    }
    return PointBatch(kind, (Flight.of(kind.name, flight_id, "d1"),), np.zeros(count, np.int32), columns)


def framed(count: int, flight_id: str = "f", kind: Kind = UPLOAD, *, start: int = 0) -> bytes:
    """The same as a frame."""
    return frame.encode(batch(count, flight_id, kind, start=start))
