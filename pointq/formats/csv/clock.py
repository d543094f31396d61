"""The times of a table: ISO 8601 and what resembles it, Unix time in whichever unit, date and time in two columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.decimals import read_decimals
from pointq.formats.flaws import Codes, Flaw
from pointq.formats.time_texts import LONGEST, explain, read_times
from pointq.points.iso import NAT
from pointq.points.times import parse_time

_DATE = r"(?:(?P<y>\d{4})(?P<dash>[-/.]?)(?P<m>\d\d?)(?P=dash)(?P<d>\d\d?)|(?P<d2>\d\d?)\.(?P<m2>\d\d?)\.(?P<y2>\d{4}))"
_CLOCK = r"(?P<hh>\d\d?)(?P<colon>:?)(?P<mm>\d\d)(?:(?P=colon)(?P<ss>\d\d)(?:[.,](?P<fraction>\d+))?)?"
_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
_LOOSE = re.compile(rf"{_DATE}(?:\s*T\s*|\s+){_CLOCK}{_ZONE}", re.IGNORECASE | re.ASCII)
_TIME_OF_DAY = re.compile(r"\d\d?:\d\d|\d{6}(?!\d)", re.ASCII)

_MAGNITUDES = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0))
"""Below which magnitude Unix times are seconds, milliseconds, microseconds, and what one is in microseconds; else
nanoseconds. 1e11 s are in the year 5138, 1e11 ms in 1973, when there was no GPS; so at each of the bounds."""
_NANOSECOND_US = 1e-3
_LAST_US = 9e18
"""What an int64 holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The times of some rows; arrays of shape (n,)."""

    time: NDArray[np.int64]
    """Microseconds since 1970 UTC, `NAT` where a text is no such time."""
    unix: NDArray[np.float64]
    """Numbers as they stand there, NaN where a text is none."""
    flaws: Codes
    """What is wrong with the texts that are neither."""


def read_clock(texts: list[str], *, utc: bool) -> Clock:
    """Times in one column. `utc` says that those without an offset are UTC; without it they are flawed."""
    unix = _read_unix(texts)
    time, flaws = np.full(len(texts), NAT), np.zeros(len(texts), np.uint8)
    rows = np.flatnonzero(np.isnan(unix))
    time[rows], flaws[rows] = _read_texts([texts[row] for row in rows.tolist()], utc=utc)
    return Clock(time, unix, flaws)


def join_dates(dates: Sequence[str], times: Sequence[str]) -> list[str]:
    """Dates and times of day as one text each; what is no time of day stands for itself, since it has its date."""
    return [f"{date} {time}" if _TIME_OF_DAY.match(time) else time for date, time in zip(dates, times, strict=True)]


def settle(clocks: Sequence[Clock], factor: float | None) -> tuple[NDArray[np.int64], Codes]:
    """The times of a whole column, and its flaws. `factor` is what one unit of the numbers is in microseconds.

    Where no unit is known, the median of all numbers tells it: one for the whole column, so that no outlier is read in
    another unit than its neighbours.
    """
    time, unix = (np.concatenate([getattr(clock, name) for clock in clocks]) for name in ("time", "unix"))
    flaws = np.concatenate([clock.flaws for clock in clocks])
    numbers = np.flatnonzero(~np.isnan(unix))
    if len(numbers):
        micros = unix[numbers] * (factor or _unit(unix[numbers]))
        good = np.abs(micros) < _LAST_US
        time[numbers] = np.where(good, np.rint(np.where(good, micros, 0)).astype(np.int64), NAT)
        flaws[numbers] = np.where(good, np.uint8(Flaw.NONE), np.uint8(Flaw.TIME_FORM))
    return time, flaws


def _read_unix(texts: list[str]) -> NDArray[np.float64]:
    """Numbers, NaN where a text is none; what has a colon is not even looked at."""
    unix = np.full(len(texts), np.nan)
    rows = [row for row, text in enumerate(texts) if ":" not in text]
    unix[rows] = read_decimals([texts[row] for row in rows])
    return unix


def _unit(numbers: NDArray[np.float64]) -> float:
    median = float(np.median(np.abs(numbers)))
    return next((factor for bound, factor in _MAGNITUDES if median < bound), _NANOSECOND_US)


def _read_texts(texts: list[str], *, utc: bool) -> tuple[NDArray[np.int64], Codes]:
    time, flaws = read_times(texts)
    for row in np.flatnonzero((time == NAT) & (flaws != Flaw.NO_TIME)).tolist():
        text = _tidy(texts[row], utc=utc)
        time[row] = parse_time(text)
        flaws[row] = Flaw.NONE if time[row] != NAT else explain(text)
    return time, flaws


def _tidy(text: str, *, utc: bool) -> str:
    """A date and a time of day as programs write them, as ISO 8601; any other text as it is."""
    found = _LOOSE.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return text
    year, month, day = (found[name] or found[f"{name}2"] for name in "ymd")
    clock = f"{found['hh']:0>2}:{found['mm']}:{found['ss'] or '00'}.{(found['fraction'] or '0')[:6]}"
    zone = (found["zone"] or ("Z" if utc else "")).upper()
    return f"{year}-{month:0>2}-{day:0>2}T{clock}{'Z' if zone in ('UTC', 'GMT') else zone}"
