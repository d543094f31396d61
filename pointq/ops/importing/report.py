"""What became of each file, and of all."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pointq.formats.track import LineReject

LISTED = 100
"""Flights, and rejected records, that a report lists; `flights` and `rejected` say how many there are."""

Outcome = Literal[
    "readable", "queued", "accepted", "stored", "nothing new", "already imported", "no fixes", "passed over", "failed"
]
"""``readable``: a dry run. ``queued``: durable in the queue. ``accepted``: durable on the server that it was posted to.
``passed over``: found among others, and plainly something else than a track."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. Times are UTC, altitudes metres."""

    file: str
    outcome: Outcome
    format: str | None = None
    kind: str | None = None
    logger: str | None = None
    """Who recorded it, manufacturer and serial number as one text: the A record of an IGC file."""
    device: str | None = None
    """The type of what recorded it, where the file names it."""
    flight_ids: tuple[str, ...] = ()
    """The first of them."""
    flights: int = 0
    records: int = 0
    """What should be fixes: those accepted, those rejected, and those equal to an earlier one."""
    fixes: int = 0
    rejected: int = 0
    rejects: tuple[LineReject, ...] = ()
    """The first of them."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """How many records were rejected for each reason, most frequent first."""
    duplicates_in_file: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    highest: float | None = None
    """Of the valid fixes, by GNSS where the file has it, else by pressure."""
    length_km: float | None = None
    """Great-circle distance along the valid fixes."""
    new: int | None = None
    """Fixes that were not in the database before; None where it was not waited for."""
    error: str | None = None
    """Why it failed, or was passed over."""
    foreign: bool = False
    """Whether it is plainly something else than a track; it failed if it was to be one all the same."""

    @property
    def duplicates(self) -> int:
        """Fixes known to be stored once for several: equal ones in the file, and, where it is known, in the database."""
        return self.duplicates_in_file + (self.fixes - self.new if self.new is not None else 0)

    @property
    def has_trouble(self) -> bool:
        """Whether somebody should look at the file."""
        return self.outcome in {"failed", "no fixes"} or (self.rejected > 0 and self.outcome != "already imported")


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the files that were not passed over; those imported before count only as files."""

    files: int
    failed: int
    already_imported: int
    passed_over: int
    flights: int
    """Different ones, as far as the reports list them; each of the others counts as one."""
    records: int
    fixes: int
    rejected: int
    new: int | None
    """None, like `duplicates`, where it was not waited for."""
    duplicates: int | None
    seconds: float
    """Between first and last fix of each file."""
    length_km: float


def summary(reports: Sequence[FileReport]) -> Totals:
    """Those sums."""
    outcomes = Counter(report.outcome for report in reports)
    read = [report for report in reports if report.outcome != "already imported"]
    known = all(report.new is not None for report in read if report.fixes)
    return Totals(
        files=len(reports) - outcomes["passed over"],
        failed=outcomes["failed"],
        already_imported=outcomes["already imported"],
        passed_over=outcomes["passed over"],
        flights=len({(report.kind, flight) for report in read for flight in report.flight_ids})
        + sum(report.flights - len(report.flight_ids) for report in read),
        records=sum(report.records for report in read),
        fixes=sum(report.fixes for report in read),
        rejected=sum(report.rejected for report in read),
        new=sum(report.new or 0 for report in read) if known else None,
        duplicates=sum(report.duplicates for report in read) if known else None,
        seconds=sum((report.end - report.start).total_seconds() for report in read if report.start and report.end),
        length_km=sum(report.length_km or 0.0 for report in read),
    )
