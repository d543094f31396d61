"""Latencies in bounded memory: how many fell into each of some hundred classes, each 2 % wide."""

import math

import numpy as np
from numpy.typing import ArrayLike

_LEAST_S = 1e-5
_RATIO = 1.02
_CLASSES = 1_200
"""Up to 1e-5 · 1.02^1200 s, some two days."""


class Latencies:
    """Seconds, counted."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CLASSES, np.int64)
        self.count = 0
        self.highest = 0.0

    def add(self, seconds: ArrayLike) -> None:
        """Count some."""
        values = np.maximum(np.atleast_1d(np.asarray(seconds, np.float64)), _LEAST_S)
        places = (np.log(values / _LEAST_S) / math.log(_RATIO)).astype(np.int64).clip(0, _CLASSES - 1)
        np.add.at(self._counts, places, 1)
        self.count += len(values)
        self.highest = max(self.highest, float(values.max(initial=0)))

    def percentile(self, share: float) -> float | None:
        """What this share of them does not exceed, up to 2 % too high; None where there are none."""
        if not self.count:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), math.ceil(share * self.count)))
        return min(_LEAST_S * _RATIO ** (place + 1), self.highest)
