"""What a table of flights says of each: how high, how far."""

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import PointBatch

EARTH_KM = 6371.0
"""Radius of the FAI's sphere (Sporting Code, General Section)."""

_ALTITUDES = ("elevation", "gps_alt", "barometric_altitude", "pressure_alt")


def valid_fixes(batch: PointBatch) -> NDArray[np.bool_]:
    """Which points a receiver stood by, shape (n,): all but those it marked as not valid; all where it marked all so."""
    if "valid" in batch.columns:
        valid: NDArray[np.bool_] = batch.columns["valid"] != 0
    elif "validity" in batch.columns:
        valid = batch.columns["validity"] != b"V"
    else:
        valid = np.ones(len(batch), np.bool_)
    return valid if valid.any() else np.ones(len(batch), np.bool_)


def highest(batch: PointBatch, valid: NDArray[np.bool_]) -> float | None:
    """The highest altitude of the valid points in metres, by GNSS where there is any, else by pressure."""
    for name in _ALTITUDES:
        # the ground's elevation of scoring is no altitude of the glider
        if name in batch.columns and not (name == "elevation" and batch.kind.name == "scoring"):
            known = batch.columns[name][valid]
            known = known[~np.isnan(known)]
            if len(known):
                return float(known.max())
    return None


def length_km(batch: PointBatch, valid: NDArray[np.bool_]) -> float:
    """The way along the valid points of each flight in order of time, in km: great circles on the FAI's sphere (haversine)."""
    rows = np.flatnonzero(valid)
    rows = rows[np.lexsort((batch.time[rows], batch.flight[rows]))]
    lat, lon = (np.radians(batch.columns[name][rows]) for name in ("lat", "lon"))
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    steps = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    flight = batch.flight[rows]
    return float(steps[flight[1:] == flight[:-1]].sum())
