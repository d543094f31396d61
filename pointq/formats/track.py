"""What every parser returns: the fixes of one file as columns, and an account of what was left out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw
from pointq.points.batch import Array
from pointq.points.kinds import FLYMASTER, UPLOAD, Column, ColumnType

TRACK_COLUMNS: tuple[Column, ...] = (*UPLOAD.columns, FLYMASTER.by_name["uploaded_at"])
"""Every column that a file can fill."""


@dataclass(frozen=True, slots=True)
class LineReject:
    """A record that is not a fix."""

    line: int
    """Its line in the file, from 1."""
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Rejects:
    """All records that are not fixes, in order of line; nine bytes each, so that a bad file costs no more than a good one.

    Iterating gives a `LineReject` each.
    """

    lines: NDArray[np.int64]
    """Lines in the file, from 1, shape (n,)."""
    flaws: Codes

    def __len__(self) -> int:
        """How many."""
        return len(self.lines)

    def __iter__(self) -> Iterator[LineReject]:
        for line, flaw in zip(self.lines.tolist(), self.flaws.tolist(), strict=True):
            yield LineReject(line, Flaw(flaw).text)

    def counts(self) -> dict[str, int]:
        """How many records were rejected for each reason, most frequent first."""
        flaws, counts = np.unique(self.flaws, return_counts=True)
        by_flaw = Counter(dict(zip(flaws.tolist(), counts.tolist(), strict=True)))
        return {Flaw(flaw).text: count for flaw, count in by_flaw.most_common()}


@dataclass(frozen=True, slots=True, eq=False)
class TrackFile:
    """The fixes of one file, in the file's order: `records` = fixes + `rejects` + `duplicates`.

    `columns` holds arrays of shape (n,), named, typed and in the units of `TRACK_COLUMNS`, NULL in band; `time`, `lat` and
    `lon` are always there, a column without any value is left out.
    """

    format: str
    """``igc`` or ``flymaster``."""
    columns: Mapping[str, Array]
    records: int
    """Lines that should be fixes."""
    rejects: Rejects
    duplicates: int
    """Fixes left out because an earlier one has the same time and position."""
    breaks: tuple[int, ...] = ()
    """Fixes that are the first after a new date record, in increasing order; never the file's first fix."""
    dates: tuple[date, ...] = ()
    """The dates of the file's date records, or the one date that stood in for them."""
    logger: str | None = None
    """Who recorded it: the A record of an IGC file, manufacturer and serial number."""
    device: str | None = None
    """The recorder's type as an IGC file names it in H.FTY."""
    serial: str | None = None
    """The serial number of a Flymaster instrument."""
    complete: bool = True
    """False where a Flymaster upload ends before its EOF."""

    def __len__(self) -> int:
        """How many fixes."""
        return len(self.columns["time"])


def present(columns: Mapping[str, Array]) -> dict[str, Array]:
    """The columns that have a value, in the order of `TRACK_COLUMNS`; numbers outside a column's range become NULL.

    A position is good whatever an altimeter says of it: a broken sensor must not cost the fix.
    """
    kept = {}
    for column in TRACK_COLUMNS:
        if column.name not in columns:
            continue
        values = _within_range(column, columns[column.name])
        if column.required or not _all_null(column, values):
            kept[column.name] = values
    return kept


def _within_range(column: Column, values: Array) -> Array:
    if column.type is not ColumnType.FLOAT or column.required:
        return values
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    outside = (values < low) | (values > high)
    return np.where(outside, np.nan, values) if outside.any() else values


def _all_null(column: Column, values: Array) -> bool:
    return bool(np.isnan(values).all() if column.type is ColumnType.FLOAT else (values == column.type.value.null).all())
