"""JSON values to columns: one list of values in, one array and the mask of the values that do not fit out.

The lists hold references to what the JSON decoder made; nothing is created for a single value unless it is wrong.
"""

import struct
from collections.abc import Sequence
from itertools import repeat
from operator import is_
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array
from pointq.points.kinds import NULL_TEXT

Mask = NDArray[np.bool_]

_BOOL_BYTES = {False: 0, True: 1, None: 0xFF}
"""How a bool column holds its values; 0xFF is the byte of its NULL, -1."""

_NUMBER_TYPES: set[type] = {float, int, NoneType}
_BOOL_TYPES: set[type] = {bool, NoneType}


def read_numbers(columns: Sequence[Sequence[Any]]) -> tuple[Array, list[Mask | None]]:
    """Numbers of several columns as float64, shape (columns, n), NaN where a value is no number.

    And for each column which values are null, None where surely none is. Integers beyond the range of floats become infinite.
    """
    matrix = np.empty((len(columns), len(columns[0])))
    nulls: list[Mask | None] = []
    for row, values in enumerate(columns):
        matrix[row], null = _read_floats(values)
        nulls.append(null)
    suspects = ((matrix == 0) | (matrix == 1)).any(axis=1).tolist()
    for row, suspect in enumerate(suspects):
        if suspect and bool in set(map(type, columns[row])):
            matrix[row], nulls[row] = _read_mixed(columns[row])
    return matrix, nulls


def _read_floats(values: Sequence[Any]) -> tuple[Array, Mask | None]:
    try:
        # half the time of np.array; refuses null, text, lists and objects by itself, but takes a bool for 0 or 1
        return np.frombuffer(struct.pack(f"{len(values)}d", *values)), None
    except (struct.error, OverflowError):
        return _read_mixed(values)


def _read_mixed(values: Sequence[Any]) -> tuple[Array, Mask]:
    types = list(map(type, values))
    if not set(types) <= _NUMBER_TYPES:
        null = find_null(values)
        return _to_floats(replaced(values, ~_of_types(values, _NUMBER_TYPES), None)), null
    numbers = _to_floats(values)
    null = np.isnan(numbers)
    # there may be a NaN among the numbers, though JSON knows none
    return numbers, null if np.count_nonzero(null) == types.count(NoneType) else find_null(values)


def _to_floats(values: Sequence[Any]) -> Array:
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return np.array([_to_float(value) for value in values], np.float64)


def _to_float(value: float | None) -> float | None:
    try:
        return value and float(value)
    except OverflowError:
        return float("inf")


def read_bools(values: Sequence[Any]) -> tuple[Array, Mask | None]:
    """Bools as int8, -1 where null; and which values are neither."""
    if list(map(type, values)).count(bool) == len(values):
        return np.frombuffer(bytearray(values), np.int8), None
    wrong = ~_of_types(values, _BOOL_TYPES)
    values = replaced(values, wrong, None)
    return np.frombuffer(bytearray(map(_BOOL_BYTES.__getitem__, values)), np.int8), wrong


def read_texts(values: Sequence[Any], max_bytes: int) -> tuple[Array, Mask | None]:
    """Texts as UTF-8 in an array of NumPy's S, `NULL_TEXT` where null; and which values are neither, too long or no text.

    No text are a NUL, which PostgreSQL has no place for, and half a surrogate pair, which UTF-8 has none for.
    """
    null = find_null(values)
    texts = replaced(values, null, "")
    wrong: Mask | None = None
    joined = _join(texts)
    if joined is None:
        wrong = ~np.fromiter(map(is_text, texts), np.bool_, len(texts))
        texts = replaced(texts, wrong, "")
        joined = "\0".join(texts).encode()
    column, long = _split(np.frombuffer(joined + b"\0", np.uint8), max_bytes)
    column[null] = NULL_TEXT
    if long.any():
        wrong = long if wrong is None else wrong | long
    return column, wrong


def is_text(value: object) -> bool:
    """Whether that is a text that PostgreSQL can hold."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _join(texts: Sequence[Any]) -> bytes | None:
    """All texts with a NUL between each two, as UTF-8; None where one of them is not such a text."""
    try:
        joined = "\0".join(texts).encode()
    except (TypeError, UnicodeEncodeError):
        return None
    return joined if joined.count(b"\0") == len(texts) - 1 else None


def _split(data: NDArray[np.uint8], max_bytes: int) -> tuple[Array, Mask]:
    """Texts that end with a NUL each, to an array of S; and which are too long, empty in the array."""
    is_end = data == 0
    ends = np.flatnonzero(is_end)
    lengths = np.diff(ends, prepend=-1) - 1
    long = lengths > max_bytes
    lengths[long] = 0
    kept = ~is_end if not long.any() else ~is_end & ~np.repeat(long, np.diff(ends, prepend=-1))
    width = max(1, int(lengths.max(initial=0)))
    matrix = np.zeros((len(ends), width), np.uint8)
    matrix[np.arange(width) < lengths[:, None]] = data[kept]
    return matrix.view(f"S{width}").ravel(), long


def find_null(values: Sequence[Any]) -> Mask:
    """Which values are null."""
    return np.fromiter(map(is_, values, repeat(None)), np.bool_, len(values))


def replaced(values: Sequence[Any], mask: Mask, value: object) -> Sequence[Any]:
    """The values, with another one where the mask is true."""
    if not mask.any():
        return values
    values = list(values)
    for row in np.flatnonzero(mask).tolist():
        values[row] = value
    return values


def _of_types(values: Sequence[Any], types: set[type]) -> Mask:
    return np.fromiter(map(types.__contains__, map(type, values)), np.bool_, len(values))
