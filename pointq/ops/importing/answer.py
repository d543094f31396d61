"""A file's report as ``POST /tracking/import`` answers it, and back."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pointq.formats.track import LineReject
from pointq.ops.importing.report import FileReport, Outcome
from pointq.points.flights import flight_uuid

PATH = "/tracking/import"

_SAME = ("file", "format", "kind", "logger", "device", "records", "start", "end", "highest", "length_km", "error", "foreign")


def to_answer(report: FileReport) -> dict[str, object]:
    """What the answer says of a file."""
    flights = [{"flight_id": each, "flight_uuid": flight_uuid(report.kind or "", each)} for each in report.flight_ids]
    return {
        **{name: getattr(report, name) for name in _SAME},
        "flights": flights,
        "flight_count": report.flights,
        "points": report.fixes,
        "duplicates_in_file": report.duplicates_in_file,
        "rejected": [asdict(reject) for reject in report.rejects],
        "rejected_count": report.rejected,
        "reasons": report.reasons,
    }


def from_answer(name: str, said: Mapping[str, Any], *, was_named: bool) -> FileReport:
    """The report in an answer, under the name that the file has here, where it was named or not.

    Raises ValueError where it is none.
    """
    try:
        return FileReport(
            file=name,
            outcome=_outcome(said, was_named=was_named),
            format=said["format"],
            kind=said["kind"],
            logger=said["logger"],
            device=said["device"],
            flight_ids=tuple(flight["flight_id"] for flight in said["flights"]),
            flights=said["flight_count"],
            records=said["records"],
            fixes=said["points"],
            rejected=said["rejected_count"],
            rejects=tuple(LineReject(**each) for each in said["rejected"]),
            reasons=dict(said["reasons"]),
            duplicates_in_file=said["duplicates_in_file"],
            start=_moment(said["start"]),
            end=_moment(said["end"]),
            highest=said["highest"],
            length_km=said["length_km"],
            error=said["error"],
            foreign=said["foreign"],
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"it lacks {exc}") from exc


def _outcome(said: Mapping[str, Any], *, was_named: bool) -> Outcome:
    if said["error"]:
        return "passed over" if said["foreign"] and not was_named else "failed"
    return "accepted" if said["points"] else "no fixes"


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
