"""The I record: which bytes after the 35th of a B record mean what.

Source: FAI, *Technical Specification for GNSS Flight Recorders*, appendix A (I record): ``I NN`` and then NN times
``SSFFCCC``, first and last byte (counted from 1) and a three-letter code. pointq reads LAD and LOD (further decimals of
the minutes of latitude and longitude) and TDS (decimal fraction of the second).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pointq.formats.igc.lines import Lines, Positions, few, windows

MAX_DIGITS = 8
"""Digits of an extension that are read. With eight more decimals a coordinate still fits into 53 bits, and is 20 nm fine."""

_FIRST_FREE_COLUMN = 36
_LONGEST = len("INN") + 99 * len("SSFFCCC")
"""Bytes of an I record: its count has two digits."""
_RECORD = re.compile(rb"I(\d\d)")
_ENTRY = re.compile(rb"(\d\d)(\d\d)([A-Za-z0-9]{3})")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where an extension stands in a line: the offset of its first byte, and how many of its digits are read."""

    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The extensions in force, None where not declared."""

    lad: Columns | None = None
    lod: Columns | None = None
    tds: Columns | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Extended:
    """B records that have an extension in the same columns."""

    rows: slice | NDArray[np.int64]
    """Which ones, as a range or as indices."""
    columns: Columns


@dataclass(frozen=True, slots=True, eq=False)
class Extensions:
    """The B records that have each of the extensions; no record is twice in one of the three."""

    lad: tuple[Extended, ...]
    lod: tuple[Extended, ...]
    tds: tuple[Extended, ...]


def find_extensions(lines: Lines, record_starts: Positions) -> Extensions:
    """Which columns hold what in the B records at these positions.

    An I record holds for the B records after it, up to the next one. One that declares nothing readable is ignored; ``I00``
    declares that there are no extensions. Raises FormatError where there are more I records than `few` allows.
    """
    layouts = _layouts(lines, record_starts)
    starts = sorted(layouts)
    lengths = np.diff([*starts, len(record_starts)])
    in_force = [layouts[start] for start in starts]
    return Extensions(
        _gathered([layout.lad for layout in in_force], lengths),
        _gathered([layout.lod for layout in in_force], lengths),
        _gathered([layout.tds for layout in in_force], lengths),
    )


def _layouts(lines: Lines, record_starts: Positions) -> dict[int, Layout]:
    """The layouts by the first B record for which each holds; there is always one for the first record."""
    declared = lines.starting_with(b"I")[::-1]
    first_records = np.searchsorted(record_starts, lines.starts[declared])
    found: dict[int, Layout] = {}
    # from the end of the file on: of several I records in a row only the last one that can be read is
    for line, first in zip(few(declared, "I"), first_records.tolist(), strict=True):
        if first not in found and (layout := parse_layout(lines.text(line, _LONGEST))) is not None:
            found[first] = layout
    found.setdefault(0, Layout())
    return found


def _gathered(in_force: list[Columns | None], lengths: NDArray[np.int64]) -> tuple[Extended, ...]:
    """The B records by the columns in which they have one extension; `lengths` say for how many records each is in force.

    There are some five hundred possible columns, however many I records name them.
    """
    known = list(dict.fromkeys(in_force))
    if len(known) == 1:
        return () if known[0] is None else (Extended(slice(0, int(lengths.sum())), known[0]),)
    codes = {columns: code for code, columns in enumerate(known)}
    by_record = np.repeat(np.array([codes[columns] for columns in in_force], np.int16), lengths)
    order = np.argsort(by_record, kind="stable")
    edges = np.searchsorted(by_record[order], np.arange(len(known) + 1)).tolist()
    spans = zip(known, pairwise(edges), strict=True)
    return tuple(Extended(order[start:stop], columns) for columns, (start, stop) in spans if columns is not None)


def parse_layout(record: bytes) -> Layout | None:
    """What an I record declares; None where it is malformed. Whole entries before a malformed one count."""
    head = _RECORD.match(record)
    if head is None:
        return None
    columns: dict[bytes, Columns] = {}
    position = head.end()
    while entry := _ENTRY.match(record, position):
        position = entry.end()
        first, last = int(entry[1]), int(entry[2])
        if _FIRST_FREE_COLUMN <= first <= last:
            columns[entry[3].upper()] = Columns(first - 1, min(last - first + 1, MAX_DIGITS))
    if position == head.end() and int(head[1]) > 0:
        return None
    return Layout(columns.get(b"LAD"), columns.get(b"LOD"), columns.get(b"TDS"))


def read_digits(lines: Lines, starts: Positions, ends: Positions, columns: Columns) -> NDArray[np.int64]:
    """The numbers in those columns of lines, shape (n,); 0 where a line is too short or has something else there.

    Without its further decimals a fix is still as good as one from a recorder that has none.
    """
    digits = windows(lines.buffer, starts + columns.offset, columns.width) - np.uint8(ord("0"))
    good = (digits.max(axis=0) <= 9) & (starts + columns.offset + columns.width <= ends)  # noqa: PLR2004 - digits
    return np.where(good, number(digits), 0)


def number(digits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The decimal numbers written in columns of digits: (width, n) to (n,). What is no digit gives a meaningless number."""
    value: NDArray[np.int64] = digits[0].astype(np.int64)
    for place in digits[1:]:
        value *= 10
        value += place
    return value
