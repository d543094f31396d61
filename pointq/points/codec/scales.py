"""Floats as integers on the coarsest scale that is exact.

A float that came from a short decimal or from minutes of arc is an integer divided by a divisor, and that division gives it
back to the last bit: 47.1234567 is 471234567 / 1e7. (Multiplication does not: 471234567 · 1e-7 is another float in a third
of the cases.) Whether a column is such is tried, on a few values with all divisors, then on all values with the coarsest.
"""

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array

_DECIMALS = 13
_MINUTES = 60_000
"""Divisor of IGC and Flymaster coordinates: thousandths of a minute of arc."""
_MINUTES_DECIMALS = 4
"""IGC's LAD and LOD records give up to three more decimals of a minute."""

DIVISORS: dict[int, float] = {1 + k: float(10**k) for k in range(_DECIMALS)}
"""What a code of a scale divides by: 1 + k for 10^k, 32 + k for 60000 · 10^k. A code is never given another meaning."""
DIVISORS |= {32 + k: float(_MINUTES * 10**k) for k in range(_MINUTES_DECIMALS)}

_ORDERED = sorted(DIVISORS, key=DIVISORS.__getitem__)
_STEPS = np.array([DIVISORS[code] for code in _ORDERED])
_SAMPLES = 8
_LIMIT = 2.0**62
"""What is larger is no integer of 64 bits."""

Floats = NDArray[np.float64]


def to_integers(rows: Floats) -> tuple[list[int], NDArray[np.int64]]:
    """Columns of floats, shape (columns, m), none of them NaN, as integers; and the code of the scale of each.

    Code 0 stands for no scale: the integers are the bits of the floats.
    """
    stride = max(1, rows.shape[1] // _SAMPLES)
    exact, integers = _on_scale(rows[:, ::stride, None], _STEPS)
    candidates = np.logical_and.reduce(exact, axis=1)
    places = candidates.argmax(axis=1)
    codes = [0] * len(rows)
    out = rows.view(np.int64).copy()
    # most coordinates of phones are on no scale, and that is known now
    found = np.flatnonzero(candidates.any(axis=1))
    exact, integers = _on_scale(rows[found], _STEPS[places[found]][:, None])
    for row, own, values in zip(found.tolist(), exact, integers, strict=True):
        if own.all():
            codes[row], out[row] = _ORDERED[places[row]], values
        else:
            codes[row], out[row] = _search(rows[row], np.flatnonzero(candidates[row])[1:].tolist())
    return codes, out


def _search(values: Floats, places: list[int]) -> tuple[int, Array]:
    """The code of the first of these divisors that is exact for all values, and the integers; 0 and the bits if none is."""
    for place in places:
        exact, integers = _on_scale(values, _STEPS[place : place + 1])
        if exact.all():
            return _ORDERED[place], integers
    return 0, values.view(np.int64)


def to_floats(code: int, integers: NDArray[np.int64]) -> Floats:
    """The floats that `to_integers` was given for that code."""
    if code:
        return integers / DIVISORS[code]
    floats = integers.view(np.float64)
    floats[np.isnan(floats)] = np.nan  # there is one NULL
    return floats


def _on_scale(values: Floats, divisor: Floats) -> tuple[Array, Array]:
    """Which values are exact as integers over that divisor, and these integers."""
    with np.errstate(over="ignore"):
        integers = np.rint(values * divisor) + 0.0  # -0.0 becomes 0.0, and is found not to be exact
    same = (integers / divisor).view(np.int64) == values.view(np.int64)
    return same & (np.abs(integers) < _LIMIT), integers
