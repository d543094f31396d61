"""Times as people and programs send them, to microseconds since 1970.

Two forms are read: ISO 8601 with an offset from UTC, and Unix seconds. In the regular case all values of a batch are texts
of one layout; they are joined, looked at as a matrix of bytes, one row a value, and turned into numbers by arithmetic on
whole columns. What does not fit goes through the same by length and layout, and only the rest value by value.
"""

import math
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.points.iso import ISO, LONGEST, NAT, fits, from_characters, layout_of, parse_text
from pointq.points.shown import shown, shown_text

__all__ = ["END_S", "FIRST_S", "NAT", "explain_time", "parse_time", "parse_times"]

FIRST_S = -62_135_596_800
"""0001-01-01T00:00:00Z in Unix seconds: years run from 1 to 9999, as in Python and in ISO 8601."""
END_S = 253_402_300_800
"""10000-01-01T00:00:00Z in Unix seconds, the first that is too late."""

_FEW = 48
"""Up to here value by value is faster: 1 µs each at most, where the arithmetic on columns takes 50 µs for the first of them."""
_LAYOUTS = 4
"""Layouts tried among values of one length before the rest goes value by value; clients of one server use two or three."""

_LENGTHS = range(len("2024-07-01T12:00Z"), LONGEST + 1)


def parse_times(values: Sequence[Any]) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC, shape (n,); `NAT` where a value is not a time.

    Read are texts ``YYYY-MM-DD[T ]HH:MM[:SS[.,fraction]]`` with an offset ``Z``, ``±HH:MM``, ``±HHMM`` or ``±HH``, and
    numbers of Unix seconds. Of a fraction microseconds are kept, further digits cut off; numbers are rounded. A leap second,
    an hour 24, a missing offset, a year outside 1 to 9999 are not times; `explain_time` says which of these it was.
    """
    if len(values) <= _FEW:
        return np.fromiter(map(parse_time, values), np.int64, len(values))
    try:
        joined = "\n".join(values)
    except TypeError:
        return _parse_mixed(values)
    matrix = _matrix(joined, len(values))
    return _parse_by_length(values) if matrix is None else _parse_matrix(values, matrix)


def parse_time(value: object) -> int:
    """One time in microseconds since 1970 UTC, or `NAT`; the same rules as `parse_times`."""
    if type(value) is str:
        return parse_text(value)
    if type(value) is int or type(value) is float:
        return _parse_unix_one(value)
    return NAT


def explain_time(value: object) -> str:
    """Why that value is not a time."""
    if isinstance(value, str):
        match = ISO.fullmatch(value)
        if match is None:
            return f"not a time: expected ISO 8601 with an offset from UTC, found {shown_text(value)}"
        if match["zone"] is None:
            return f"time has no offset from UTC: {shown_text(value)}; add Z or +02:00"
        return f"not a time: no such date, time of day or offset, found {shown_text(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"not a time: Unix seconds must be within the years 1 to 9999, found {shown(value)}"
    return f"not a time: expected ISO 8601 text or Unix seconds, found {shown(value)}"


def _parse_unix_one(seconds: float) -> int:
    if not FIRST_S <= seconds < END_S:
        return NAT
    whole = math.floor(seconds)
    return whole * 1_000_000 + round((seconds - whole) * 1e6)


def _parse_unix(values: Sequence[float]) -> NDArray[np.int64]:
    try:
        seconds = np.array(values, np.float64)
    except OverflowError:  # an integer beyond any float
        return np.fromiter(map(_parse_unix_one, values), np.int64, len(values))
    inside = (seconds >= FIRST_S) & (seconds < END_S)
    seconds[~inside] = 0
    # split first: in microseconds a float64 is exact to the microsecond only until 2255
    whole = np.floor(seconds)
    micros = whole.astype(np.int64) * 1_000_000 + np.rint((seconds - whole) * 1e6).astype(np.int64)
    return np.where(inside, micros, NAT)


def _parse_mixed(values: Sequence[Any]) -> NDArray[np.int64]:
    """Values that are not all texts."""
    if set(map(type, values)) <= {int, float}:
        return _parse_unix(values)
    out = np.full(len(values), NAT)
    texts = np.fromiter(map(isinstance, values, repeat(str)), np.bool_, len(values))
    numbers = np.fromiter(map({int, float}.__contains__, map(type, values)), np.bool_, len(values))
    out[texts] = _parse_by_length(_pick(values, texts))
    out[numbers] = _parse_unix(_pick(values, numbers))
    return out


def _parse_by_length(values: Sequence[str]) -> NDArray[np.int64]:
    """Texts of several lengths, those of each length together."""
    out = np.full(len(values), NAT)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    for length in _LENGTHS:
        same = lengths == length
        if same.any():
            chosen = _pick(values, same)
            # "replace" keeps one byte a character, so that rows stay aligned; "?" is in no time
            data = "".join(chosen).encode("ascii", "replace")
            out[same] = _parse_matrix(chosen, np.frombuffer(data, np.uint8).reshape(-1, length))
    return out


def _pick(values: Sequence[Any], mask: NDArray[np.bool_]) -> list[Any]:
    return list(map(values.__getitem__, np.flatnonzero(mask).tolist()))


def _matrix(joined: str, count: int) -> NDArray[np.uint8] | None:
    """Values joined by line feeds as bytes, one row each, shape (count, length); None where they differ in length."""
    if not joined.isascii() or (len(joined) + 1) % count or joined.count("\n") != count - 1:
        return None
    matrix = np.frombuffer((joined + "\n").encode("ascii"), np.uint8).reshape(count, -1)
    # with as many line feeds as rows, one at the end of each row is one nowhere else
    return matrix[:, :-1] if (matrix[:, -1] == ord("\n")).all() else None


def _parse_matrix(values: Sequence[str], matrix: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Texts of one length, given also as bytes, shape (n, length): layout by layout, the rest value by value."""
    layout = layout_of(values[0])
    if layout is not None:
        characters = np.ascontiguousarray(matrix.T)
        if fits(characters, layout).all():
            return from_characters(characters, layout)
    return _parse_layouts(values, matrix)


def _parse_layouts(values: Sequence[str], matrix: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Texts of one length and several layouts."""
    out = np.full(len(values), NAT)
    rest = np.arange(len(values))
    for _ in range(_LAYOUTS):
        if not len(rest):
            return out
        layout = layout_of(values[rest[0]])
        if layout is None:
            out[rest[0]] = parse_text(values[rest[0]])
            rest = rest[1:]
            continue
        characters = matrix[rest].T
        fitting = fits(characters, layout)
        out[rest[fitting]] = from_characters(characters[:, fitting], layout)
        rest = rest[~fitting]
    out[rest] = [parse_text(values[row]) for row in rest.tolist()]
    return out
