"""A batch made ready for the writer: sorted by key, free of equal keys.

Pure, so it can be done while the last batch is written.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import PointBatch, nulls
from pointq.points.kinds import Column
from pointq.store.encoding import present_columns, uuid_bytes


@dataclass(frozen=True, slots=True)
class FlightSummary:
    """What a set of points adds to its flights; one value a flight that has any, shape (flights with points,)."""

    flight: NDArray[np.int32]
    points: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    last_lat: NDArray[np.float64]
    last_lon: NDArray[np.float64]
    last_elevation: NDArray[np.float64]
    min_lat: NDArray[np.float64]
    min_lon: NDArray[np.float64]
    max_lat: NDArray[np.float64]
    max_lon: NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """Points in the order of their keys, each key once; the flights in the order of their UUIDs."""

    batch: PointBatch
    repeated: int
    """Points left out because an earlier one of the batch has the same key."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are sent."""
        return present_columns(self.batch)

    @cached_property
    def uuids(self) -> NDArray[np.void]:
        """The UUIDs of the flights."""
        return uuid_bytes(self.batch)


def prepare(batch: PointBatch) -> Prepared:
    """Sort by (flight, time, lat, lon) and drop equal keys, the first in the batch's order kept."""
    ordered = _flights_in_order(batch)
    flight, time = ordered.flight, ordered.time
    if not _sorted_by_time(flight, time):
        ordered = ordered.take(np.lexsort((time, flight)))
        flight, time = ordered.flight, ordered.time
    if not bool(((flight[1:] == flight[:-1]) & (time[1:] == time[:-1])).any()):
        return Prepared(ordered, 0)
    return _without_repeats(ordered)


def summarize(batch: PointBatch) -> FlightSummary:
    """Count and bound the points of each flight; `batch` is sorted by flight and time, and not empty."""
    start = np.flatnonzero(np.r_[True, batch.flight[1:] != batch.flight[:-1]])
    end = np.r_[start[1:], len(batch)] - 1
    lat, lon, time = batch.columns["lat"], batch.columns["lon"], batch.time
    altitude = batch.columns.get(batch.kind.altitude)
    if altitude is None:
        altitude = nulls(batch.kind.by_name[batch.kind.altitude], len(batch))
    return FlightSummary(
        batch.flight[start],
        end - start + 1,
        time[start],
        time[end],
        lat[end],
        lon[end],
        altitude[end],
        np.minimum.reduceat(lat, start),
        np.minimum.reduceat(lon, start),
        np.maximum.reduceat(lat, start),
        np.maximum.reduceat(lon, start),
    )


def _flights_in_order(batch: PointBatch) -> PointBatch:
    order = sorted(range(len(batch.flights)), key=lambda i: batch.flights[i].uuid.bytes)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    flights = tuple(batch.flights[i] for i in order)
    return PointBatch(batch.kind, flights, place[batch.flight], batch.columns)


def _sorted_by_time(flight: NDArray[np.int32], time: NDArray[np.int64]) -> bool:
    later = (flight[1:] == flight[:-1]) & (time[1:] >= time[:-1])
    return bool((later | (flight[1:] > flight[:-1])).all())


def _without_repeats(batch: PointBatch) -> Prepared:
    """The batch, sorted by flight and time already, with points of one flight and time sorted by position, each key once.

    Only those points are looked at: recorders write some equal seconds into many files, and sorting all for their sake takes
    five times as long as all the rest.
    """
    flight, time, lat, lon = batch.flight, batch.time, batch.columns["lat"], batch.columns["lon"]
    twin = (flight[1:] == flight[:-1]) & (time[1:] == time[:-1])
    rows = np.flatnonzero(np.append(twin, False) | np.insert(twin, 0, False))
    ordered = rows[np.lexsort((lon[rows], lat[rows], time[rows], flight[rows]))]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = False
    for key in (flight, time, lat, lon):
        fresh[1:] |= key[ordered[1:]] != key[ordered[:-1]]
    kept = np.arange(len(batch))
    kept[rows] = ordered
    keep = np.ones(len(batch), np.bool_)
    keep[rows] = fresh
    kept = kept[keep]
    return Prepared(batch.take(kept), len(batch) - len(kept))
