"""How the files of an import are understood."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from pointq.errors import UsageError
from pointq.formats.csv.names import QUANTITIES, understand
from pointq.formats.igc.dates import date_from_name
from pointq.points.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Options:
    """How files are understood."""

    kind: str | None = None
    """Its name. None: Flymaster uploads are of kind ``flymaster``, all other files ``upload``."""
    flight_id: str | None = None
    device_id: str | None = None
    date: dt.date | None = None
    """For files that know no date."""
    split: bool = False
    gap_seconds: float = 3600.0
    columns: Mapping[str, str] = field(default_factory=dict)
    """For tables: pointq's name of a column to the name in the file's header."""

    def signature(self, file_name: str) -> str:
        """Whatever besides its bytes decides what becomes of a file, as text: equal bytes and signatures give equal points.

        The name of a file counts only for the date in it.
        """
        date = self.date or date_from_name(file_name)
        decisive = {
            "kind": self.kind,
            "flight_id": self.flight_id,
            "device_id": self.device_id,
            "date": date,
            "gap_seconds": self.gap_seconds if self.split else None,
            "columns": dict(sorted(self.columns.items())) or None,
        }
        return orjson.dumps({name: value for name, value in decisive.items() if value is not None}).decode()


def columns_of(pairs: Iterable[str]) -> dict[str, str]:
    """The columns in texts such as ``lat=Latitude``. Raises UsageError where one is none, or pointq knows no such column."""
    columns = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not (name and equals and header):
            raise UsageError(f"a column is mapped by name=Header, found {pair!r}", hint="such as --map lat=Latitude")
        if understand(name) is None:
            known = ", ".join(quantity.name for quantity in QUANTITIES)
            raise UsageError(f"there is no column {name!r} to map {header!r} to", hint=f"map one of {known}")
        columns[name.strip()] = header.strip()
    return columns


def checked_kind(name: str) -> str:
    """The name of a kind. Raises UsageError where there is none of that name."""
    if name not in KINDS:
        raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}")
    return name
