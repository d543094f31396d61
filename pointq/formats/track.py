"""What every parser returns: the fixes of one file as columns, and an account of what was left out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import repeat

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
    """Its number in the file, from 1: that of its line or, in a file without lines, that of the record, as `record` says."""
    reason: str
    record: str = "line"
    """What `line` counts: see `Rejects.record`."""
    offset: int | None = None
    """In a binary file the byte where it begins, from 0."""

    @property
    def place(self) -> str:
        """Where to look for it: ``line 5``, ``record 7``, ``packet 3, byte 210``."""
        place = f"{self.record} {self.line}"
        return place if self.offset is None else f"{place}, byte {self.offset}"


@dataclass(frozen=True, slots=True, eq=False)
class Rejects:
    """All records that are not fixes, in the file's order; some bytes each, so that a bad file costs no more than a good one.

    Iterating gives a `LineReject` each.
    """

    lines: NDArray[np.int64]
    """Numbers in the file, from 1, shape (n,)."""
    flaws: Codes
    record: str = "line"
    """What is counted: ``line``; ``record`` in JSON, whose fixes are counted in the order in which they stand; ``packet``."""
    offsets: NDArray[np.int64] | None = None
    """The bytes of a binary file where they begin, from 0, shape (n,)."""

    def __len__(self) -> int:
        """How many."""
        return len(self.lines)

    def __iter__(self) -> Iterator[LineReject]:
        offsets = repeat(None, len(self)) if self.offsets is None else self.offsets.tolist()
        for line, flaw, offset in zip(self.lines.tolist(), self.flaws.tolist(), offsets, strict=True):
            yield LineReject(line, Flaw(flaw).text, self.record, offset)

    def counts(self) -> dict[str, int]:
        """How many records were rejected for each reason, most frequent first."""
        flaws, counts = np.unique(self.flaws, return_counts=True)
        by_flaw = Counter(dict(zip(flaws.tolist(), counts.tolist(), strict=True)))
        return {Flaw(flaw).text: count for flaw, count in by_flaw.most_common()}


@dataclass(frozen=True, slots=True)
class Part:
    """One of the tracks that a file holds: its fixes up to the next part, at least one."""

    first: int
    """Its first fix."""
    device_id: str | None
    """The device, where the file names it."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackFile:
    """The fixes of one file, part by part, else in the file's order: `records` = fixes + `rejects` + `duplicates`.

    `columns` holds arrays of shape (n,), named, typed and in the units of `TRACK_COLUMNS`, NULL in band; `time`, `lat` and
    `lon` are always there, a column without any value is left out.
    """

    format: str
    """As `detect.FORMATS` names it."""
    columns: Mapping[str, Array]
    records: int
    """Lines, or what stands for them, that should be fixes."""
    rejects: Rejects
    duplicates: int
    """Fixes left out because an earlier one of the same part has the same time and position."""
    parts: tuple[Part, ...] = ()
    """The tracks in a file that tells them apart, in order, the first one from fix 0; none where it is one track."""
    breaks: tuple[int, ...] = ()
    """Fixes that are the first after a new date record, in increasing order; never the file's first fix."""
    dates: tuple[date, ...] = ()
    """The dates of the file's date records, or the one date that stood in for them."""
    logger: str | None = None
    """Who recorded it: the A record of an IGC file, manufacturer and serial number."""
    device: str | None = None
    """The recorder's type: H.FTY of an IGC file, brand and model in Flymaster packets."""
    serial: str | None = None
    """The serial number of a Flymaster instrument, where all fixes are of one."""
    complete: bool = True
    """False where a Flymaster upload ends before its EOF or goes on behind it, or packets before their end mark."""

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
