"""Texts of ISO 8601, one by one and, where many are of one layout, by arithmetic on columns of characters."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

NAT: Final = -(2**63)
"""What stands for "not a time"; the in-band NULL of time columns."""

ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?"
)
"""What is read, and what would be if it had an offset. What `datetime` does not check itself is checked here."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


LONGEST = len("2024-07-01T12:00:00.123456789+02:00")
"""Characters of the longest text that is a time."""


def parse_text(text: str) -> int:
    """One text in microseconds since 1970 UTC, or `NAT`."""
    return _parse_short(text) if len(text) <= LONGEST else NAT


# receivers take their fixes at whole seconds of UTC, so posts that arrive together often have the same text
@lru_cache(maxsize=1024)
def _parse_short(text: str) -> int:
    match = ISO.fullmatch(text)
    if match is None or match["zone"] is None:
        return NAT
    try:
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except ValueError:
        return NAT


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a text of one layout the digits are, and where what must be equal in all texts of it."""

    digits: NDArray[np.intp]
    """Places of the digits after the date: 6 of the time of day, then those of the offset, then those of the fraction."""
    marks: NDArray[np.intp]
    """Places of everything else."""
    marked: NDArray[np.uint8]
    """What stands there, shape (marks, 1)."""
    zone: int
    """How many digits the offset has: 0, 2 or 4."""
    ahead: int
    """1 where local time is ahead of UTC, -1 where behind, 0 for Z."""


def layout_of(text: str) -> Layout | None:
    """The layout of that text; None where it is not a time with seconds and an offset."""
    match = ISO.fullmatch(text)
    if match is None or match["zone"] is None or text[16] != ":":
        return None
    digits = [place for place, character in enumerate(text) if character.isdigit()]
    marks = [place for place, character in enumerate(text) if not character.isdigit()]
    marked = np.array([[ord(text[place])] for place in marks], np.uint8)
    zone = [place for place in digits if place >= match.start("zone")]
    fraction = [place for place in digits[14:] if place not in zone]
    ahead = {"+": 1, "-": -1}.get(match["zone"][0], 0)
    return Layout(np.array(digits[8:14] + zone + fraction), np.array(marks), marked, len(zone), ahead)


_ZERO = np.uint8(ord("0"))
"""Subtracted from a character that is no digit, it gives something above 9: bytes wrap."""
_TEN = np.uint8(10)
_DATE_DIGITS = np.array([0, 1, 2, 3, 5, 6, 8, 9])
_LIMITS = np.array([[23], [59], [59], [23], [59]], np.uint8)
"""Largest hour, minute and second, and hour and minute of the offset."""
_MICROS = np.array([100_000, 10_000, 1_000, 100, 10, 1], np.int32)
"""What the digits of a fraction are worth in microseconds; later ones nothing."""


def fits(characters: NDArray[np.uint8], layout: Layout) -> NDArray[np.bool_]:
    """Which texts, given as characters of shape (length, n), are of that layout, digits or not between the marks."""
    same: NDArray[np.bool_] = (characters[layout.marks] == layout.marked).all(axis=0)
    return same


def from_characters(characters: NDArray[np.uint8], layout: Layout) -> NDArray[np.int64]:
    """Microseconds since 1970 or `NAT`, shape (n,), of texts of that layout given as characters of shape (length, n)."""
    midnight, is_date = _from_dates(characters[: len("YYYY-MM-DD")])
    digits = characters[layout.digits] - _ZERO
    paired = len("HHMMSS") + layout.zone
    pairs = digits[0:paired:2] * _TEN + digits[1:paired:2]
    valid = is_date & (digits < _TEN).all(axis=0) & (pairs <= _LIMITS[: len(pairs)]).all(axis=0)
    seconds = pairs[0] * np.int32(3600) + pairs[1] * np.int32(60) + pairs[2]
    if layout.zone:
        seconds -= pairs[3] * np.int32(3600 * layout.ahead)
    if layout.zone == len("HHMM"):
        seconds -= pairs[4] * np.int32(60 * layout.ahead)
    micros = midnight + seconds * np.int64(1_000_000)
    fraction = digits[paired : paired + len(_MICROS)]
    if len(fraction):
        micros += _MICROS[: len(fraction)] @ fraction
    return np.where(valid, micros, NAT)


_RUN = 100
"""Texts that follow each other with the same date, from which on one look at the date is cheaper than arithmetic on all."""


def _from_dates(characters: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Midnights in microseconds since 1970, and which of them are dates; one for all texts where all are of one day."""
    count = characters.shape[1]
    starts = [0, *(np.flatnonzero((characters[:, 1:] != characters[:, :-1]).any(axis=0)) + 1).tolist()]
    if len(starts) * _RUN > count + _RUN:
        days, is_date = _days(characters[_DATE_DIGITS] - _ZERO)
        return days * np.int64(86_400_000_000), is_date
    midnights = np.array([parse_text(characters[:, start].tobytes().decode() + "T00:00Z") for start in starts])
    is_date = midnights != NAT
    midnights[~is_date] = 0
    if len(starts) == 1:
        return midnights, is_date
    lengths = np.diff([*starts, count])
    return np.repeat(midnights, lengths), np.repeat(is_date, lengths)


_FEBRUARY = 2
_MONTH_LENGTHS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 243, np.int32)
"""Days of each month of a common year; 0 for whatever a byte may hold that is no month."""


def _days(digits: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Days since 1970-01-01 of digits YYYYMMDD, shape (8, n), and which of them are dates, both of shape (n,).

    Counted from 1 March, so that the leap day is the last of its year and (153 m + 2) / 5 gives the days before month m:
    Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    """
    century, year_of_century, month, day = (digits[0::2] * _TEN + digits[1::2]).astype(np.int32)
    year = century * 100 + year_of_century
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = _MONTH_LENGTHS[month] + (leap & (month == _FEBRUARY))
    valid = (digits < _TEN).all(axis=0) & (year >= 1) & (day >= 1) & (day <= length)
    year -= month <= _FEBRUARY
    before_year = year * 365 + year // 4 - year // 100 + year // 400
    days = before_year + ((month + 9) % 12 * 153 + 2) // 5 + day - 719_469
    return days, valid
