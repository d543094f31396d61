"""Texts of times, as XML and tables hold them, to columns, and what is wrong with those that are none."""

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw
from pointq.points.iso import ISO, NAT
from pointq.points.times import parse_times

LONGEST = 64
"""Characters of a time that are looked at; the longest that is one has half as many."""


def read_times(texts: list[str]) -> tuple[NDArray[np.int64], Codes]:
    """Microseconds since 1970 UTC, `NAT` where a text is no ISO 8601 time with an offset, and why not; both of shape (n,)."""
    time = parse_times(texts)
    flaws = np.zeros(len(texts), np.uint8)
    for row in np.flatnonzero(time == NAT).tolist():
        flaws[row] = explain(texts[row])
    return time, flaws


def explain(text: str) -> Flaw:
    """Why that text is no time."""
    if not text:
        return Flaw.NO_TIME
    found = ISO.fullmatch(text) if len(text) <= LONGEST else None
    return Flaw.NO_OFFSET if found is not None and found["zone"] is None else Flaw.TIME_FORM
