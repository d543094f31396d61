"""The header of a table: its separator, and which of its columns holds what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointq.errors import FormatError
from pointq.formats.csv.names import DATE, LAT, LON, QUANTITIES, TIME, Meaning, Quantity, understand
from pointq.formats.csv.rows import read_rows

_SEPARATORS = (",", ";", "\t", "|")
_EXCEL_SEPARATOR = re.compile(r"\"?sep=([,;|\t])\"?\s*")
_SAMPLE_BYTES = 65_536
"""How much of a file is looked at for its header."""
_SHOWN_NAMES = 30
_SHOWN_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a table."""

    names: tuple[str, ...]
    separator: str
    line: int
    """Its line in the file."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a quantity stands in each row, and how it is to be understood."""

    column: int
    meaning: Meaning


def find_header(data: bytes, encoding: str, mapped: Sequence[str] = ()) -> Header | None:
    """The header, by whichever separator makes most sense of it: most names understood or mapped, then most names.

    Excel's first line ``sep=;`` decides, and is no header. None where there is nothing but white space.
    """
    sample = data[:_SAMPLE_BYTES]
    declared = _EXCEL_SEPARATOR.fullmatch(sample.decode(encoding, "replace").partition("\n")[0])
    candidates = (declared[1],) if declared else _SEPARATORS
    headers = [header for each in candidates if (header := _first_row(sample, encoding, each, 1 if declared else 0))]
    return max(headers, key=lambda header: _sense(header, mapped), default=None)


def assign(header: Header, mapping: Mapping[str, str]) -> dict[Quantity, Source]:
    """Which column holds which quantity: as mapped, else by its name.

    `mapping` has names of quantities, with a unit if need be (``speed_kmh``, ``time_utc``), and names in the header. Raises
    `FormatError` where one of these is unknown, or time, latitude or longitude is missing.
    """
    sources = _guess(header.names)
    sources |= dict(_mapped(header, own, name, sources) for own, name in mapping.items())
    if TIME not in sources and DATE in sources:
        date = sources.pop(DATE)
        sources[TIME] = Source(date.column, Meaning(TIME, date.meaning.unit, 0))
    missing = [quantity.name for quantity in (TIME, LAT, LON) if quantity not in sources]
    if missing:
        raise _unusable(f"the table has no column that is understood as {' or '.join(missing)}", header, sources)
    return sources


def _first_row(sample: bytes, encoding: str, separator: str, skipped: int) -> Header | None:
    rows = (found for found in read_rows(sample, encoding, separator) if found[0] > skipped)
    line, row = next(rows, (0, []))
    if isinstance(row, list) and any(map(str.strip, row)):
        return Header(tuple(name.strip() for name in row), separator, line)
    return None


def _sense(header: Header, mapped: Sequence[str]) -> tuple[int, int]:
    understood = sum(name in mapped or understand(name) is not None for name in header.names)
    return understood, len(header.names)


def _guess(names: Sequence[str]) -> dict[Quantity, Source]:
    found = [Source(column, meaning) for column, name in enumerate(names) if (meaning := understand(name))]
    best: dict[Quantity, Source] = {}
    for source in sorted(found, key=lambda source: (source.meaning.rank, source.column)):
        best.setdefault(source.meaning.quantity, source)
    return best


def _mapped(header: Header, own: str, name: str, guessed: Mapping[Quantity, Source]) -> tuple[Quantity, Source]:
    meaning = understand(own)
    if meaning is None:
        known = ", ".join(quantity.name for quantity in QUANTITIES)
        raise FormatError(f"pointq has no column {own!r} to map {name!r} to", hint=f"map one of {known}")
    if name not in header.names:
        raise _unusable(f"the table has no column {name!r}", header, guessed)
    said = understand(name)
    if meaning.unit is None and said is not None and said.quantity is meaning.quantity:
        meaning = said
    return meaning.quantity, Source(header.names.index(name), meaning)


def _unusable(problem: str, header: Header, sources: Mapping[Quantity, Source]) -> FormatError:
    names = ", ".join(repr(name[:_SHOWN_CHARACTERS]) for name in header.names[:_SHOWN_NAMES])
    more = len(header.names) - _SHOWN_NAMES
    understood = ", ".join(f"{quantity.name}={header.names[source.column]!r}" for quantity, source in sources.items())
    return FormatError(
        f"{problem}; its header in line {header.line} has {names}{f' and {more} more' if more > 0 else ''};"
        f" understood: {understood or 'nothing'}",
        hint="say which column is which, for example --map time=GPSTime --map lat=Breite --map lon=Laenge",
    )
