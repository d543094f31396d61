"""From the bytes of an IGC file to a TrackFile."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FormatError
from pointq.formats.flaws import Codes, Flaw, first_of_each_key, time_flaws
from pointq.formats.igc.dates import UNDATED, Dates, date_from_name, days_of_fixes, find_dates
from pointq.formats.igc.extensions import find_extensions
from pointq.formats.igc.fixes import Fixes, read_fixes
from pointq.formats.igc.headers import read_header
from pointq.formats.igc.lines import Lines, split_lines
from pointq.formats.igc.records import Records, find_records, looks_like_igc
from pointq.formats.track import Rejects, TrackFile, present
from pointq.points.batch import Array
from pointq.points.rules import DAY_US


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The fixes that stay: which B records they are, and their times in microseconds since 1970; both of shape (n,)."""

    rows: NDArray[np.int64]
    time: NDArray[np.int64]


def parse_igc(data: bytes, *, now_us: int, file_name: str = "", date: dt.date | None = None) -> TrackFile:
    """Read an IGC file, skipping and reporting what is no fix.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. A file without
    any usable date record takes its date from `file_name`, else from `date`.

    Raises `FormatError` where the bytes are not IGC, no date is known, or records are more than any recorder writes. A file
    without fixes is not an error.
    """
    lines = split_lines(data)
    records = find_records(lines)
    fixes = read_fixes(lines, records, find_extensions(lines, records.starts))
    if not (fixes.flaws == Flaw.NONE).any() and not looks_like_igc(data):
        raise FormatError(
            "not an IGC file: expected records such as AXXX…, HFDTE… and B…, found none",
            hint="check that the file was not truncated, renamed or compressed",
        )
    dates = find_dates(lines)
    fallback = None if dates.known else date_from_name(file_name) or date
    kept, flaws = _sift(records, fixes, dates, fallback, now_us)
    rejects = _rejects(lines, records, flaws)
    header = read_header(lines)
    return TrackFile(
        format="igc",
        columns=present(_columns(fixes, kept)),
        records=len(records) + len(records.stubs),
        rejects=rejects,
        duplicates=len(records) + len(records.stubs) - len(rejects) - len(kept.rows),
        breaks=_breaks(dates, records.starts[kept.rows]),
        dates=dates.known or ((fallback,) if fallback else ()),
        logger=header.logger,
        device=header.device,
    )


def _sift(records: Records, fixes: Fixes, dates: Dates, fallback: dt.date | None, now_us: int) -> tuple[_Kept, Codes]:
    """The fixes that stay, and the flaws of all records, shape (records,); what is in neither is a duplicate.

    Raises FormatError where there are fixes and no date at all.
    """
    rows = np.flatnonzero(fixes.flaws == Flaw.NONE)
    if len(rows) and not dates.known and fallback is None:
        raise FormatError(
            "no date in the file or in its name: expected a record such as HFDTEDATE:310824",
            hint="give the date of the first fix with --date YYYY-MM-DD",
        )
    time_of_day = fixes.time_of_day[rows]
    days = days_of_fixes(dates, fallback, records.starts[rows], time_of_day)
    undated = days == UNDATED
    time = np.where(undated, 0, days) * DAY_US + time_of_day
    flaws = fixes.flaws.copy()
    flaws[rows] = np.where(undated, np.uint8(Flaw.UNDATED), time_flaws(time, now_us))
    good = flaws[rows] == Flaw.NONE
    rows, time = rows[good], time[good]
    first = first_of_each_key(time, fixes.lat[rows], fixes.lon[rows])
    return _Kept(rows[first], time[first]), flaws


def _rejects(lines: Lines, records: Records, flaws: Codes) -> Rejects:
    """What is no fix, in order of line; `flaws` are those of the records that are long enough."""
    rejected = np.flatnonzero(flaws)
    places, found = records.starts[rejected], flaws[rejected]
    if len(records.stubs):
        stubs = np.where(lines.buffer[records.stubs] == 0, np.uint8(Flaw.NUL), np.uint8(Flaw.SHORT))
        places, found = np.concatenate([places, records.stubs]), np.concatenate([found, stubs])
        order = np.argsort(places, kind="stable")
        places, found = places[order], found[order]
    return Rejects(lines.numbers(places), found)


def _columns(fixes: Fixes, kept: _Kept) -> dict[str, Array]:
    rows = kept.rows
    return {
        "time": kept.time,
        "lat": fixes.lat[rows],
        "lon": fixes.lon[rows],
        "elevation": _metres(fixes.gnss[rows]),
        "barometric_altitude": _metres(fixes.pressure[rows]),
        "valid": fixes.valid[rows].astype(np.int8),
    }


def _metres(altitude: NDArray[np.int64]) -> NDArray[np.float64]:
    """Altitudes as a column. A recorder without that sensor writes 00000 in every fix (150 files of 550): NULL, not 0 m."""
    return altitude.astype(np.float64) if altitude.any() else np.full(len(altitude), np.nan)


def _breaks(dates: Dates, positions: NDArray[np.int64]) -> tuple[int, ...]:
    """The first fixes after a date record, as indices of fixes; `positions` are those of the fixes in the file."""
    first = np.unique(np.searchsorted(positions, dates.positions))
    return tuple(first[(first > 0) & (first < len(positions))].tolist())
