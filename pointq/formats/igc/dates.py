"""Which day a fix belongs to: B records carry only the time of day.

Every real file of 550 fits these rules. The base date is set at each H.DTE record. A step back of at most ten minutes is
out of order and keeps the date; a larger one begins the next day; a jump forward of more than 23 h 50 min after that is a
late fix of the day before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pointq.formats.igc.headers import header_lines
from pointq.formats.igc.lines import Lines, Positions, few

Ints = NDArray[np.int64]

UNDATED = np.iinfo(np.int64).min
"""In place of a day: no date is known."""

_EPOCH = date(1970, 1, 1).toordinal()
_PLACEHOLDER = date(2000, 1, 1)
"""What recorders write before the receiver has a fix: no date."""
_CENTURY_PIVOT = 80
"""Two-digit years from here on are 19xx: GPS time begins in 1980."""
_OUT_OF_ORDER_US = 10 * 60 * 1_000_000
_LATE_US = (24 * 60 - 10) * 60 * 1_000_000

_LONGEST = 64
"""Bytes of a date record that are looked at: the longest real one has 27."""
_RECORD = re.compile(rb"H.DTE\D*(\d\d)(\d\d)(\d\d)", re.DOTALL)
_IN_NAME = (
    re.compile(r"^(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)", re.ASCII),
    re.compile(r"(?<!\d)(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)-\d{6}(?!\d)", re.ASCII),
    re.compile(r"^(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)", re.ASCII),
)


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """The date records of a file: where they stand, and the day that each one sets, both of shape (n,).

    Days are counted from 1970-01-01; `UNDATED` where the record is a placeholder or no date of the calendar.
    """

    positions: Positions
    days: Ints

    @property
    def known(self) -> tuple[date, ...]:
        """The dates themselves, without placeholders and repeats, in the file's order."""
        return tuple(dict.fromkeys(_date(day) for day in self.days.tolist() if day != UNDATED))


def find_dates(lines: Lines) -> Dates:
    """All H.DTE records, in every form that recorders write (``HFDTE310824``, ``HFDTEDATE:310824,01``, …).

    Raises FormatError where there are more of them than `few` allows.
    """
    records = few(header_lines(lines, b"DTE"), "H.DTE")
    found = [(line, match) for line in records if (match := _RECORD.match(lines.text(line, _LONGEST)))]
    days = [_day(_two_digit_year(int(m[3])), int(m[2]), int(m[1])) for _, m in found]
    return Dates(lines.starts[np.array([line for line, _ in found], np.int64)], np.array(days, np.int64))


def date_from_name(file_name: str) -> date | None:
    """The date in a file's name: ``YYYY-MM-DD…``, ``…YYYYMMDD-HHMMSS…`` or ``YYMMDD…``; None where there is none."""
    name = re.split(r"[/\\]", file_name)[-1]
    for match in filter(None, (pattern.search(name) for pattern in _IN_NAME)):
        year = int(match["y"])
        day = _day(year if len(match["y"]) > len("YY") else _two_digit_year(year), int(match["m"]), int(match["d"]))
        if day != UNDATED:
            return _date(day)
    return None


def days_of_fixes(dates: Dates, fallback: date | None, positions: Positions, time_of_day: Ints) -> Ints:
    """The day of each fix since 1970-01-01, or `UNDATED`, shape (n,).

    `positions` and `time_of_day` (microseconds) are those of the fixes, in the file's order, shape (n,). `fallback` is the
    date of a file whose own records give none, and is used only there.
    """
    if dates.known or fallback is None:
        bases = np.append(UNDATED, dates.days)
        part = np.searchsorted(dates.positions, positions)
    else:
        bases = np.array([fallback.toordinal() - _EPOCH])
        part = np.zeros(len(positions), np.int64)
    base = bases[part]
    return np.where(base == UNDATED, UNDATED, base + _rollovers(time_of_day, part))


def _rollovers(time_of_day: Ints, part: Ints) -> Ints:
    """How many days after its date record each fix was taken, shape (n,); `part` numbers the date records.

    The count follows the steps from fix to fix, up at a midnight, down at a late fix, but never below the date record: a jump
    forward counts only after a rollover.
    """
    offsets = np.zeros(len(time_of_day), np.int64)
    step = np.diff(time_of_day, prepend=time_of_day[:1])
    turns = (step < -_OUT_OF_ORDER_US).astype(np.int64) - (step > _LATE_US)
    starts = np.diff(part, prepend=part[:1]) != 0
    turns[starts] = 0
    if not turns.any():
        return offsets
    for rows in _runs(starts):
        walk = np.cumsum(turns[rows])
        offsets[rows] = walk - np.minimum(np.minimum.accumulate(walk), 0)
    return offsets


def _runs(starts: NDArray[np.bool_]) -> Iterator[slice]:
    edges = [0, *np.flatnonzero(starts).tolist(), len(starts)]
    return (slice(start, stop) for start, stop in pairwise(edges) if start < stop)


def _two_digit_year(year: int) -> int:
    return year + (1900 if year >= _CENTURY_PIVOT else 2000)


def _day(year: int, month: int, day: int) -> int:
    """That date as days since 1970, `UNDATED` where the calendar has no such day or it is the placeholder."""
    try:
        found = date(year, month, day)
    except ValueError:
        return UNDATED
    return UNDATED if found == _PLACEHOLDER else found.toordinal() - _EPOCH


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)
