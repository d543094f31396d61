"""Which lines of an IGC file are B records, damaged ones included, and whether the file is IGC at all."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.igc.lines import Lines, Positions

LENGTH = 35
"""Bytes of a B record before its extensions."""

_SAMPLE_BYTES = 4096
"""How much of a file is looked at to tell what it is: the header of every known recorder fits."""
_RECORD = re.compile(rb"[A-FH-N][A-Z0-9-]{2}|I\d|G[!-~]")
_FIX = re.compile(rb"(?:^|[\r\n])B\d{13}[NS]\d{8}[EW][AV]")


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Where the B records begin and where their lines end, in the file's order."""

    starts: Positions
    ends: Positions
    stubs: Positions
    """Where lines begin that should be B records and are shorter than `LENGTH`; they are not among the others."""

    def __len__(self) -> int:
        """How many are long enough."""
        return len(self.starts)


def find_records(lines: Lines) -> Records:
    """All lines that begin with a B, or with NUL bytes in place of it and something behind them.

    A logger that loses power leaves a block of NUL bytes. What is left behind it in the last line is the rest of a record;
    a line of nothing but NUL bytes is padding.
    """
    is_record = (lines.letters == ord("B")) | ((lines.letters == 0) & (lines.buffer[lines.ends - 1] != 0))
    starts, ends = lines.starts[is_record], lines.ends[is_record]
    whole = ends - starts >= LENGTH
    return Records(starts, ends, starts[:0]) if whole.all() else Records(starts[whole], ends[whole], starts[~whole])


def holds_another(lines: Lines, records: Records) -> NDArray[np.bool_]:
    """Which records have a second one in the same line: the line end between them was lost. Shape (n,)."""
    holds = np.zeros(len(records), np.bool_)
    if not (records.ends - records.starts >= 2 * LENGTH).any():
        return holds
    looks_so = lines.buffer[:-LENGTH] == ord("B")
    for place, letters in ((14, b"NS"), (23, b"EW"), (24, b"AV")):
        there = lines.buffer[place : place - LENGTH]
        looks_so &= (there == letters[0]) | (there == letters[1])
    at = np.flatnonzero(looks_so)
    line = np.searchsorted(records.starts, at, side="right") - 1
    at, line = at[line >= 0], line[line >= 0]
    holds[line[(at >= records.starts[line] + LENGTH) & (at + LENGTH <= records.ends[line])]] = True
    return holds


def looks_like_igc(data: bytes) -> bool:
    """Whether these bytes are IGC: most of the first lines are records, or a B record stands anywhere."""
    head = data[:_SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in head.replace(b"\r", b"\n").split(b"\n") if line.strip(b" \t\0")]
    records = sum(_RECORD.match(line) is not None for line in lines)
    return 2 * records > len(lines) or _FIX.search(data) is not None
