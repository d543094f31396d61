"""Why a record of a file did not become a fix: the list of reasons, and the rules that every format shares."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pointq.points.rules import DAY_US, FIRST_TIME, LONGEST_AHEAD_US, POWER_UP_DAY

Codes = NDArray[np.uint8]
"""A `Flaw` for each record, shape (n,)."""


class Flaw(IntEnum):
    """What is wrong with a record; `text` says it in words."""

    NONE = 0
    SHORT = 1
    TIME = 2
    LATITUDE = 3
    LONGITUDE = 4
    VALIDITY = 5
    ALTITUDE = 6
    MERGED = 7
    NUL = 8
    NULL_ISLAND = 9
    UNDATED = 10
    BEFORE_1980 = 11
    POWER_UP = 12
    FUTURE = 13
    FIELD_COUNT = 14
    UPLOAD_TIME = 15
    FIX_TIME = 16
    NUMBER = 17
    LATITUDE_RANGE = 18
    LONGITUDE_RANGE = 19

    @property
    def text(self) -> str:
        """The reason, for a person who looks at that line of the file."""
        return _TEXTS[self]


_TEXTS: dict[Flaw, str] = {
    Flaw.NONE: "nothing is wrong",
    Flaw.SHORT: "a B record has at least 35 bytes; this line is shorter",
    Flaw.TIME: "the time in bytes 2-7 is not HHMMSS",
    Flaw.LATITUDE: "the latitude in bytes 8-15 is not DDMMmmm and N or S, at most 90 degrees",
    Flaw.LONGITUDE: "the longitude in bytes 16-24 is not DDDMMmmm and E or W, at most 180 degrees",
    Flaw.VALIDITY: "the validity in byte 25 is neither A nor V",
    Flaw.ALTITUDE: "an altitude in bytes 26-35 is neither five digits nor a minus sign and four digits",
    Flaw.MERGED: "two B records are merged in one line",
    Flaw.NUL: "the line begins with NUL bytes: the logger lost what stood there",
    Flaw.NULL_ISLAND: "latitude and longitude are both exactly 0: the receiver had no position",
    Flaw.UNDATED: "no date is known yet: the date record before this line is missing or a placeholder",
    Flaw.BEFORE_1980: "the time is before 1980, when no GPS existed",
    Flaw.POWER_UP: "the date is 2000-01-01: the clock of a receiver that has just been switched on",
    Flaw.FUTURE: "the time is more than 24 hours ahead of now",
    Flaw.FIELD_COUNT: "a row has seven fields: upload time, fix time, latitude, longitude, altitude, speed, heading",
    Flaw.UPLOAD_TIME: "the upload time is not a whole number of Unix seconds",
    Flaw.FIX_TIME: "the fix time is not a whole number of Unix seconds",
    Flaw.NUMBER: "latitude, longitude, altitude, speed or heading is not a number",
    Flaw.LATITUDE_RANGE: "the latitude is not between -90 and 90 degrees",
    Flaw.LONGITUDE_RANGE: "the longitude is not between -180 and 180 degrees",
}


def time_flaws(time: NDArray[np.int64], now_us: int) -> Codes:
    """Which times no GPS fix can have (the contract's rules), shape (n,).

    `time` is in microseconds since 1970 UTC, shape (n,); `now_us` is the present, in the same unit.
    """
    flaws = np.zeros(len(time), np.uint8)
    flaws[time < FIRST_TIME] = Flaw.BEFORE_1980
    flaws[(time >= POWER_UP_DAY) & (time < POWER_UP_DAY + DAY_US)] = Flaw.POWER_UP
    flaws[time > now_us + LONGEST_AHEAD_US] = Flaw.FUTURE
    return flaws


def first_of_each_key(time: NDArray[np.int64], lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which fixes are the first with their time and position, shape (n,); all three arrays have that shape.

    Nearly every file is in strict order of time, where nothing has to be compared. Elsewhere only fixes that share their
    time with another one are sorted.
    """
    first = np.ones(len(time), np.bool_)
    if (time[1:] > time[:-1]).all():
        return first
    order = np.argsort(time, kind="stable")
    same = _repeats(time[order])
    rows = order[same | np.append(same[1:], False)]
    rows = rows[np.lexsort((lon[rows], lat[rows], time[rows]))]
    first[rows[_repeats(time[rows]) & _repeats(lat[rows]) & _repeats(lon[rows])]] = False
    return first


def _repeats(values: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values equal the one before them, shape (n,)."""
    same = np.zeros(len(values), np.bool_)
    np.equal(values[1:], values[:-1], out=same[1:])
    return same
