"""Columns of a batch as bytes.

A column is written as

    2 bytes   identity: the low half of the CRC-32 of its name, little-endian; so names, not places, make a column
    byte      coding; 128 is added where some values are NULL
    bitmap    only with NULLs: a bit for each point, the first in the lowest bit of the first byte; 1 is NULL
    values    of those points that are not NULL, m of them

and the coding says what the values are:

    0         the bits of floats, as a series of integers (`codec.ints`)
    1 … 13    integers over 10^(coding - 1), as such a series
    32 … 35   integers over 60000 · 10^(coding - 32), as such a series
    48 49 50  times in microseconds, milliseconds, seconds since 1970, as such a series
    64        integers, as such a series; also bools that are all equal
    65        bools, a bit each, in the order of the bitmap
    66        texts: their lengths in bytes as such a series, then all first bytes, all second bytes, … of those that have one
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FrameError
from pointq.points.batch import Array, PointBatch, is_null, nulls
from pointq.points.codec.ints import decode_ints, encode_ints
from pointq.points.codec.reader import Reader
from pointq.points.codec.scales import DIVISORS, to_floats, to_integers
from pointq.points.kinds import Column, ColumnType, Kind

_HAS_NULLS = 128
_MICROSECONDS = 48
_COARSE_UNITS = {50: 1_000_000, 49: 1_000}
"""Microseconds of a unit of times, the coarsest first."""
_TIME_UNITS = _COARSE_UNITS | {_MICROSECONDS: 1}
_FIRST = 8
"""Times that are looked at before all: most columns that are in no whole seconds begin with one that is not."""
_INTEGERS, _BITS, _TEXTS = 64, 65, 66
LONGEST_TEXT = 255
"""Bytes of UTF-8; with the number of points it bounds what a frame can make a reader allocate."""

_HEAD = struct.Struct("<HB")


@lru_cache(maxsize=256)
def identity(name: str) -> int:
    """What stands for a column of that name, 0 to 65535."""
    return crc32(name.encode()) & 0xFFFF


@dataclass(slots=True)
class _Coded:
    """A column on its way into bytes: its values that are not NULL, as 64-bit integers where it is made of numbers."""

    column: Column
    values: Array
    bitmap: bytes = b""
    coding: int = 0
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        coding = self.coding | _HAS_NULLS if self.bitmap else self.coding
        return _HEAD.pack(identity(self.column.name), coding) + self.bitmap + self.payload


def encode_columns(batch: PointBatch, places: NDArray[np.int64] | None = None) -> tuple[bytes, bytes]:
    """All columns that have a value, preceded by a byte with their number; and before that the series of `places`.

    The places of the points' flights, shape (n,), are no column, but are coded with them: for few points it is the number
    of calls that takes the time.
    """
    coded = _without_nulls(batch)
    for item in coded:
        _code(item)
    _code_floats([item for item in coded if item.column.type is ColumnType.FLOAT])
    index = [] if places is None else [_Coded(batch.kind.by_name["time"], places)]
    for series in _of_equal_length([*index, *(item for item in coded if not item.payload)]):
        for item, payload in zip(series, encode_ints(_matrix(series)), strict=True):
            item.payload = payload
    return b"".join([item.payload for item in index]), bytes((len(coded),)) + b"".join([item.to_bytes() for item in coded])


def _without_nulls(batch: PointBatch) -> list[_Coded]:
    """The columns that have a value, without their NULLs."""
    coded = [_Coded(column, batch.columns[column.name]) for column in batch.kind.columns if column.name in batch.columns]
    floats = [item for item in coded if item.column.type is ColumnType.FLOAT]
    null_floats = np.isnan(_matrix(floats))
    found = list(zip(floats, null_floats, np.logical_or.reduce(null_floats, axis=1).tolist(), strict=True))
    for item in coded:
        if item.column.type is not ColumnType.FLOAT:
            null = is_null(item.column, item.values)
            found.append((item, null, bool(null.any())))
    for item, null, any_null in found:
        if any_null:
            _drop_nulls(item, null)
    return [item for item in coded if len(item.values) or item.column.required]


def _drop_nulls(item: _Coded, null: Array) -> None:
    if item.column.required:
        raise ValueError(f"{item.column.name} is NULL in {np.count_nonzero(null)} of {len(null)} points, but never may be")
    item.values = item.values[~null]
    item.bitmap = np.packbits(null, bitorder="little").tobytes()


def _of_equal_length(coded: list[_Coded]) -> Iterable[list[_Coded]]:
    """Columns with equally many values together: numbers are coded as matrices."""
    groups: dict[int, list[_Coded]] = {}
    for item in coded:
        groups.setdefault(len(item.values), []).append(item)
    return groups.values()


def _matrix(coded: list[_Coded]) -> Array:
    """Columns with equally many values, as a matrix of shape (columns, m)."""
    return np.concatenate([item.values for item in coded]).reshape(len(coded), -1)


def _code(item: _Coded) -> None:
    """Choose the coding of a column, floats excepted."""
    match item.column.type:
        case ColumnType.TIME:
            item.coding, item.values = _in_coarsest_unit(item.values)
        case ColumnType.INT:
            item.coding, item.values = _INTEGERS, item.values.astype(np.int64)
        case ColumnType.BOOL if (
            0 < np.count_nonzero(item.values == 1) < len(item.values) == np.count_nonzero(item.values >> 1 == 0)
        ):
            item.coding, item.payload = _BITS, np.packbits(item.values == 1, bitorder="little").tobytes()
        case ColumnType.BOOL:
            item.coding, item.values = _INTEGERS, item.values.astype(np.int64)
        case ColumnType.TEXT:
            item.coding, item.payload = _TEXTS, _encode_texts(item.values)


def _in_coarsest_unit(micros: Array) -> tuple[int, Array]:
    """The code of the coarsest unit in which all those times are whole, and the times in it."""
    for code, unit in _COARSE_UNITS.items():
        if not (micros[:_FIRST] % unit).any():
            # multiplied again: NumPy divides by a number several times as fast as it finds a remainder
            whole = micros // unit
            if not np.count_nonzero(whole * unit != micros):
                return code, whole
    return _MICROSECONDS, micros


def _code_floats(coded: list[_Coded]) -> None:
    for series in _of_equal_length(coded):
        codes, integers = to_integers(_matrix(series))
        for item, code, values in zip(series, codes, integers, strict=True):
            item.coding, item.values = code, values


def _encode_texts(texts: Array) -> bytes:
    width = texts.dtype.itemsize
    lengths = np.strings.str_len(texts).astype(np.int64)
    if lengths.max(initial=0) > LONGEST_TEXT:
        raise ValueError(f"a text of {lengths.max()} bytes: a frame holds up to {LONGEST_TEXT}")
    characters = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), width).T
    return encode_ints(lengths[None, :])[0] + characters[np.arange(width)[:, None] < lengths].tobytes()


def decode_columns(reader: Reader, kind: Kind, count: int) -> dict[str, Array]:
    """The columns of a batch of that many points, in the order of the kind."""
    by_identity = {identity(column.name): column for column in kind.columns}
    found: dict[str, Array] = {}
    for _ in range(reader.byte()):
        name, coding = reader.numbers(_HEAD)
        column = by_identity.pop(name, None)
        if column is None:
            raise FrameError(f"a column of identity {name}, given twice or unknown to {kind.name} points in this version")
        found[column.name] = _decode_column(reader, column, coding, count)
    columns = {column.name: found[column.name] for column in kind.columns if column.name in found}
    for column in kind.columns:
        if column.required and (column.name not in found or is_null(column, found[column.name]).any()):
            raise FrameError(f"{column.name} is missing in some points of the frame")
    return columns


def _decode_column(reader: Reader, column: Column, coding: int, count: int) -> Array:
    if not coding & _HAS_NULLS:
        return _decode_values(reader, column, coding, count)
    bitmap = reader.array((count + 7) // 8)
    present = np.unpackbits(bitmap, count=count, bitorder="little") == 0
    values = _decode_values(reader, column, coding & ~_HAS_NULLS, int(np.count_nonzero(present)))
    out = nulls(column, count).astype(values.dtype)
    out[present] = values
    return out


def _decode_values(reader: Reader, column: Column, coding: int, count: int) -> Array:
    match column.type:
        case ColumnType.FLOAT if coding == 0 or coding in DIVISORS:
            return to_floats(coding, decode_ints(reader, count))
        case ColumnType.TIME if coding in _TIME_UNITS:
            return decode_ints(reader, count) * _TIME_UNITS[coding]
        case ColumnType.INT | ColumnType.BOOL if coding == _INTEGERS:
            return _narrow(column, decode_ints(reader, count))
        case ColumnType.BOOL if coding == _BITS:
            return np.unpackbits(reader.array((count + 7) // 8), count=count, bitorder="little").view(np.int8)
        case ColumnType.TEXT if coding == _TEXTS:
            return _decode_texts(reader, count)
    raise FrameError(f"a column {column.name} in coding {coding}, which this version of pointq does not know for it")


def _narrow(column: Column, values: NDArray[np.int64]) -> Array:
    narrow = values.astype(column.type.value.dtype)
    if (narrow != values).any():
        raise FrameError(f"a column {column.name} with numbers beyond its type")
    return narrow


def _decode_texts(reader: Reader, count: int) -> Array:
    lengths = decode_ints(reader, count)
    if count and not 0 <= lengths.min() <= lengths.max() <= LONGEST_TEXT:
        raise FrameError(f"a text of {lengths.min()} to {lengths.max()} bytes: a frame holds 0 to {LONGEST_TEXT}")
    width = max(1, int(lengths.max(initial=0)))
    characters = np.zeros((width, count), np.uint8)
    characters[np.arange(width)[:, None] < lengths] = reader.array(int(lengths.sum()))
    return np.ascontiguousarray(characters.T).view(f"S{width}").ravel()
