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
    PACKET_CHECKSUM = 20
    PACKET_LENGTH = 21
    PACKET_CUT = 22
    NO_PACKET = 23
    NO_BASE = 24
    NO_OBJECT = 25
    NO_LIST = 26
    NO_POSITION = 27
    NO_TIME = 28
    TIME_FORM = 29
    TIME_COUNT = 30
    TIME_STEP = 31
    TIME_LOST = 32
    NO_LOCATION = 33
    BEHIND_END = 34
    NO_OFFSET = 60
    XML_BREAK = 61
    COLUMN_COUNT = 62
    QUOTES = 63
    LONG_LINE = 64
    FIT_BREAK = 65
    FIT_CHECKSUM = 66
    FIT_UPTIME = 67

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
    Flaw.PACKET_CHECKSUM: "the checksum of the packet is wrong: skipped up to the next good packet",
    Flaw.PACKET_LENGTH: "no packet of this type has this length: skipped up to the next good packet",
    Flaw.PACKET_CUT: "the file ends within the packet",
    Flaw.NO_PACKET: "no packet begins here: skipped up to the next good packet",
    Flaw.NO_BASE: "the fix is relative to one that is lost or never was; the next A1A1 packet gives a position again",
    Flaw.NO_OBJECT: "a fix must be a JSON object",
    Flaw.NO_LIST: "a position must be a JSON list: longitude, latitude, altitude",
    Flaw.NO_POSITION: "latitude or longitude is missing or not a number",
    Flaw.NO_TIME: "the fix has no time",
    Flaw.TIME_FORM: "the time is neither ISO 8601 with an offset from UTC (Z, +02:00) nor Unix seconds or milliseconds",
    Flaw.TIME_COUNT: "the track has more or fewer times than positions: which belongs to which is unknown",
    Flaw.TIME_STEP: "dt, the time since the fix before, is not a number of seconds, at most 100,000",
    Flaw.TIME_LOST: "the time is relative to that of an earlier fix, which is unknown",
    Flaw.NO_LOCATION: "the user has no last location",
    Flaw.BEHIND_END: "something stands behind EOF: nothing from here on was read",
    Flaw.NO_OFFSET: "the time has no offset from UTC, such as Z or +02:00; if a table's times are UTC, use --map time_utc=NAME",
    Flaw.XML_BREAK: "the XML is cut or damaged here: nothing from here on could be read",
    Flaw.COLUMN_COUNT: "the row has another number of fields than the header has names",
    Flaw.QUOTES: "a quotation mark is not closed, or something stands behind a quoted field",
    Flaw.LONG_LINE: "the line is longer than 16,384 characters",
    Flaw.FIT_BREAK: "the file is cut or damaged here: nothing from here on could be read",
    Flaw.FIT_CHECKSUM: "the checksum of the file does not match: any value before may be damaged",
    Flaw.FIT_UPTIME: "the time counts from when the device was switched on: it did not know the date yet",
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


def position_flaws(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Codes:
    """Which positions in degrees are none, shape (n,); NaN where there is no number. Both arrays have that shape."""
    flaws = np.zeros(len(lat), np.uint8)
    flaws[(lat == 0) & (lon == 0)] = Flaw.NULL_ISLAND
    flaws[np.abs(lon) > 180] = Flaw.LONGITUDE_RANGE  # noqa: PLR2004 - degrees
    flaws[np.abs(lat) > 90] = Flaw.LATITUDE_RANGE  # noqa: PLR2004 - degrees
    flaws[np.isnan(lat) | np.isnan(lon)] = Flaw.NO_POSITION
    return flaws


def first_flaw(*codes: Codes) -> Codes:
    """Of each record its flaw in the first of the arrays that has one, shape (n,)."""
    flaws = codes[0]
    for later in codes[1:]:
        flaws = np.where(flaws == Flaw.NONE, later, flaws)
    return flaws


def first_of_each_key(
    time: NDArray[np.int64],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    part: NDArray[np.int32] | None = None,
) -> NDArray[np.bool_]:
    """Which fixes are the first of their part with their time and position, shape (n,); all arrays have that shape.

    `part` is ascending; without it all fixes are of one. Nearly every file is in strict order of time, where nothing has to
    be compared. Elsewhere only fixes that share their time with another one are sorted.
    """
    first = np.ones(len(time), np.bool_)
    later = time[1:] > time[:-1]
    if later.all() or (part is not None and (later | (part[1:] != part[:-1])).all()):
        return first
    part = np.zeros(len(time), np.int32) if part is None else part
    order = np.argsort(time, kind="stable")
    same = _repeats(time[order])
    rows = order[same | np.append(same[1:], False)]
    # stable: of equal keys, those of one part stay together
    rows = rows[np.lexsort((lon[rows], lat[rows], time[rows]))]
    first[rows[_repeats(part[rows]) & _repeats(time[rows]) & _repeats(lat[rows]) & _repeats(lon[rows])]] = False
    return first


def _repeats(values: NDArray[np.int32] | NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values equal the one before them, shape (n,)."""
    same = np.zeros(len(values), np.bool_)
    np.equal(values[1:], values[:-1], out=same[1:])
    return same
