"""What has to be known of all points before the first one is written."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.writers.texts import second_digits_of
from pointq.points.batch import PointBatch, is_null

UNITS = 60_000
"""Thousandths of a minute in a degree: what IGC counts in before its extensions."""
MOST_DIGITS = 8
"""Further decimals of the minutes that pointq's reader of IGC takes: 20 nm, and both sides of its division stay below 2**53."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts about the points of a flight, added up piece by piece."""

    points: int = 0
    first_us: int = 0
    """The time of the first point, in microseconds since 1970."""
    columns: frozenset[str] = frozenset()
    """The columns that have a value in any point."""
    second_digits: int = 0
    """Decimals of the seconds that the times have, at most 6."""
    minute_digits: int = 0
    """Further decimals, behind the third, that write every latitude and longitude exactly in minutes; at most `MOST_DIGITS`."""

    def add(self, batch: PointBatch) -> "Survey":
        """The same with further points, later than all before; at least one."""
        filled = {name for name, values in batch.columns.items() if not is_null(batch.kind.by_name[name], values).all()}
        return Survey(
            points=self.points + len(batch),
            first_us=self.first_us if self.points else int(batch.time[0]),
            columns=self.columns | filled,
            second_digits=second_digits_of(batch.time, self.second_digits),
            minute_digits=_minute_digits([batch.columns["lat"], batch.columns["lon"]], self.minute_digits),
        )


def to_units(degrees: NDArray[np.float64], digits: int) -> NDArray[np.int64]:
    """Degrees without their sign in thousandths of a minute, with so many further decimals; shape (n,)."""
    return np.rint(np.abs(degrees) * float(UNITS * 10**digits)).astype(np.int64)


def _minute_digits(coordinates: list[NDArray[np.float64]], least: int) -> int:
    for digits in range(least, MOST_DIGITS):
        scale = UNITS * 10**digits
        if all((to_units(values, digits) / scale == np.abs(values)).all() for values in coordinates):
            return digits
    return MOST_DIGITS
