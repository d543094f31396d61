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

from pointq.formats.igc.lines import Lines, Positions, windows

MAX_DIGITS = 8
"""Digits of an extension that are read. With eight more decimals a coordinate still fits into 53 bits, and is 20 nm fine."""

_FIRST_FREE_COLUMN = 36
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


@dataclass(frozen=True, slots=True)
class Scope:
    """B records ``start`` up to, but not including, ``stop``, which have the same layout."""

    start: int
    stop: int
    layout: Layout


def find_scopes(lines: Lines, record_starts: Positions) -> list[Scope]:
    """The layouts in force, one after another, for the B records at these positions; together they cover all of them.

    An I record holds for the B records after it, up to the next one. One that declares nothing readable is ignored; ``I00``
    declares that there are no extensions.
    """
    declared = lines.starting_with(b"I")[::-1]
    first_records = np.searchsorted(record_starts, lines.starts[declared])
    found: dict[int, Layout] = {}
    # from the end of the file on: of several I records in a row only the last one that can be read is
    for line, first in zip(declared.tolist(), first_records.tolist(), strict=True):
        if first not in found and (layout := parse_layout(lines.text(line))) is not None:
            found[first] = layout
    found.setdefault(0, Layout())
    edges = [*sorted(found), len(record_starts)]
    return [Scope(start, stop, found[start]) for start, stop in pairwise(edges) if start < stop]


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
