"""B records: thirty-five bytes in fixed places, so that all of them are read at once, column by column.

``B HHMMSS DDMMmmm[NS] DDDMMmmm[EW] [AV] PPPPP GGGGG``. Source: FAI, *Technical Specification for GNSS Flight Recorders*,
appendix A (B record), and what recorders really write: minutes may be exactly 60.000, and a negative altitude has a minus
sign in place of its first digit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw
from pointq.formats.igc.extensions import Extended, Extensions, number, read_digits
from pointq.formats.igc.lines import Lines, windows
from pointq.formats.igc.records import LENGTH, Records, holds_another

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNITS = 60_000
"""Thousandths of a minute in a degree: what a recorder counts in."""
_SECOND_US = 1_000_000
_ZERO = np.uint8(ord("0"))
_MINUS = np.uint8(ord("-") - ord("0") + 256)
"""A minus sign as what is left of it after subtracting the digit zero in uint8."""
_TIME, _LAT, _LON = slice(1, 7), slice(7, 14), slice(15, 23)
_NORTH_SOUTH, _EAST_WEST, _VALIDITY = 14, 23, 24
_PRESSURE, _GNSS = slice(25, 30), slice(30, 35)


@dataclass(frozen=True, slots=True, eq=False)
class Fixes:
    """What B records say, arrays of shape (n,); where `flaws` is not NONE the rest means nothing."""

    flaws: Codes
    time_of_day: Ints
    """Microseconds since midnight UTC."""
    lat: NDArray[np.float64]
    """Degrees, the float64 nearest to the decimal number that the record holds; likewise `lon`."""
    lon: NDArray[np.float64]
    valid: Mask
    """Whether the fix is 3D (A); else the receiver repeats its last good position (V)."""
    pressure: Ints
    """Altitude in the standard atmosphere, m."""
    gnss: Ints
    """Altitude by GNSS, m."""


def read_fixes(lines: Lines, records: Records, extensions: Extensions) -> Fixes:
    """Read all B records that are long enough."""
    cells = windows(lines.buffer, records.starts, LENGTH)
    digits = cells - _ZERO
    time, time_good = _time_of_day(digits[_TIME])
    south, ns_good = _either(cells[_NORTH_SOUTH], b"SN")
    west, ew_good = _either(cells[_EAST_WEST], b"WE")
    valid, validity_good = _either(cells[_VALIDITY], b"AV")
    lat_units, lat_good = _units(digits[_LAT])
    lon_units, lon_good = _units(digits[_LON])
    lat = _degrees(lines, records, lat_units, extensions.lad)
    lon = _degrees(lines, records, lon_units, extensions.lod)
    pressure, pressure_good = _altitude(digits[_PRESSURE])
    gnss, gnss_good = _altitude(digits[_GNSS])
    _add_fractions(lines, records, time, extensions.tds)
    # the last one that applies stays: the leftmost flaw, because after a lost byte everything is shifted
    flaws = np.zeros(len(records), np.uint8)
    flaws[(lat == 0) & (lon == 0)] = Flaw.NULL_ISLAND
    flaws[holds_another(lines, records)] = Flaw.MERGED
    flaws[~(pressure_good & gnss_good)] = Flaw.ALTITUDE
    flaws[~validity_good] = Flaw.VALIDITY
    flaws[~(lon_good & ew_good & (lon <= 180))] = Flaw.LONGITUDE  # noqa: PLR2004 - degrees
    flaws[~(lat_good & ns_good & (lat <= 90))] = Flaw.LATITUDE  # noqa: PLR2004 - degrees
    flaws[~time_good] = Flaw.TIME
    flaws[cells[0] != ord("B")] = Flaw.NUL
    return Fixes(flaws, time, _signed(lat, south), _signed(lon, west), valid, pressure, gnss)


def _either(letters: NDArray[np.uint8], expected: bytes) -> tuple[Mask, Mask]:
    """Which letters are the first of the two expected ones, and which are either of them."""
    is_first = letters == expected[0]
    return is_first, is_first | (letters == expected[1])


def _time_of_day(digits: NDArray[np.uint8]) -> tuple[Ints, Mask]:
    """HHMMSS, shape (6, n), in microseconds, and whether it is a time of day; both of shape (n,)."""
    hour, minute, second = number(digits[0:2]), number(digits[2:4]), number(digits[4:6])
    good = _all_digits(digits) & (hour < 24) & (minute < 60) & (second < 60)  # noqa: PLR2004 - a clock's
    return ((hour * 60 + minute) * 60 + second) * _SECOND_US, good


def _units(digits: NDArray[np.uint8]) -> tuple[Ints, Mask]:
    """Degrees and minutes, shape (7, n) or (8, n), in 1/60000 degree, and whether they are; both of shape (n,).

    The last five digits are thousandths of minutes. Recorders that round write 60.000 (5 files of 550).
    """
    degrees, minutes = number(digits[:-5]), number(digits[-5:])
    return degrees * _UNITS + minutes, _all_digits(digits) & (minutes <= _UNITS)


def _degrees(lines: Lines, records: Records, units: Ints, extended: tuple[Extended, ...]) -> NDArray[np.float64]:
    """Coordinates without their sign, from 1/60000 degree and, where declared, further decimals; shape (n,).

    Both sides of the one division are whole numbers below 2**53, so that the result is correctly rounded.
    """
    degrees: NDArray[np.float64] = units / _UNITS
    for these in extended:
        rows, scale = these.rows, 10**these.columns.width
        decimals = read_digits(lines, records.starts[rows], records.ends[rows], these.columns)
        degrees[rows] = (units[rows] * scale + decimals) / (_UNITS * scale)
    return degrees


def _add_fractions(lines: Lines, records: Records, time: Ints, extended: tuple[Extended, ...]) -> None:
    """Add the decimal fractions of the second where declared, cut to microseconds."""
    for these in extended:
        rows = these.rows
        decimals = read_digits(lines, records.starts[rows], records.ends[rows], these.columns)
        time[rows] += decimals * _SECOND_US // 10**these.columns.width


def _altitude(digits: NDArray[np.uint8]) -> tuple[Ints, Mask]:
    """Five digits, or a minus sign and four, shape (5, n), in metres, and whether they are; both of shape (n,)."""
    below = digits[0] == _MINUS
    value = number(digits[1:])
    value += np.where(below, 0, digits[0]) * np.int64(10_000)
    np.negative(value, out=value, where=below)
    return value, _all_digits(digits[1:]) & (below | (digits[0] <= 9))  # noqa: PLR2004 - digits


def _all_digits(digits: NDArray[np.uint8]) -> Mask:
    """Which columns of an array of shape (width, n) hold nothing but digits, shape (n,)."""
    good: Mask = np.maximum.reduce(digits) <= 9  # noqa: PLR2004 - digits
    return good


def _signed(degrees: NDArray[np.float64], negative: Mask) -> NDArray[np.float64]:
    """South and west negative; zero stays positive."""
    return np.where(negative & (degrees != 0), -degrees, degrees)
