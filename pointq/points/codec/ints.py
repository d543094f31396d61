"""Integers as narrow as they are: what every column of numbers becomes in the end.

A series of m signed 64-bit integers is written as

    byte      order and width: 16 · order + width, order 0 or 1, width 0 to 8
    byte      sizes of the two numbers that follow: 16 · size of the first + size of the base
    first     signed, little-endian; only with order 1: the first integer of the series
    base      signed, little-endian
    planes    width times m bytes (order 0) or m - 1 bytes (order 1): first the lowest byte of each number, then the next …

With order 0 the numbers in the planes are the integers less the base (their minimum), with order 1 the differences between
neighbours less the base (their minimum); unsigned, of `width` bytes. All arithmetic is modulo 2^64, so that no difference
is too large. Equal integers, and equal steps, have width 0 and take no planes at all. Bytes of equal weight stand together
because they resemble each other, which zstd needs.
"""

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FrameError
from pointq.points.codec.reader import Reader

_SAMPLES = 64
"""Integers looked at to choose the order: the mean of so many logarithms is good to a tenth of a byte."""
_WIDEST = 8
_ADVANTAGE = 0.5
"""Bits that steps must save: those of pure noise take as many as the noise itself, and one more in the worst case."""

Ints = NDArray[np.int64]


def encode_ints(rows: Ints) -> list[bytes]:
    """Several series of equal length, shape (series, m), each written for itself: for one point that is what is fast."""
    count = rows.shape[1]
    if count == 0:
        return [b"\0\0" for _ in rows]
    low, high = _extremes(rows)
    if count == 1:
        return [_write(row, 0, 0, base, base) for row, base in zip(rows, low, strict=True)]
    steps = rows[:, 1:] - rows[:, :-1]
    step_low, step_high = _extremes(steps)
    smaller = _are_smaller(steps, rows - rows[:, :1]).tolist()
    return [
        _write(steps[i], 1, int(rows[i, 0]), step_low[i], step_high[i])
        if low[i] != high[i] and smaller[i]
        else _write(rows[i], 0, 0, low[i], high[i])
        for i in range(len(rows))
    ]


def _extremes(rows: Ints) -> tuple[list[int], list[int]]:
    """The least and the largest of each row; by the ufuncs themselves, since the methods around them cost as much again."""
    return np.minimum.reduce(rows, axis=1).tolist(), np.maximum.reduce(rows, axis=1).tolist()


def _are_smaller(steps: Ints, offsets: Ints) -> NDArray[np.bool_]:
    """Whether the steps of a series take fewer bits than its integers, by the mean bits of a sample."""
    stride = max(1, steps.shape[1] // _SAMPLES)
    smaller: NDArray[np.bool_] = _bits(steps[:, ::stride]) < _bits(offsets[:, 1::stride]) - _ADVANTAGE
    return smaller


def _bits(values: Ints) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.add.reduce(np.log2(np.abs(values.astype(np.float64)) + 1), axis=1) / values.shape[1]
    return mean


def _write(values: Ints, order: int, first: int, base: int, highest: int) -> bytes:
    width = ((highest - base).bit_length() + 7) // 8
    first_bytes = _signed(first) if order else b""
    base_bytes = _signed(base)
    head = bytes((16 * order + width, 16 * len(first_bytes) + len(base_bytes))) + first_bytes + base_bytes
    if not width:
        return head
    offsets = (values - base).view(np.uint8).reshape(-1, 8)
    return head + offsets[:, :width].T.tobytes()


def _signed(value: int) -> bytes:
    """The fewest bytes that hold that number in two's complement; none at all for 0."""
    bits = (value if value >= 0 else ~value).bit_length() + 1 if value else 0
    return value.to_bytes((bits + 7) // 8, "little", signed=True)


def decode_ints(reader: Reader, count: int) -> Ints:
    """The next series of that many integers."""
    order, width = divmod(reader.byte(), 16)
    first_size, base_size = divmod(reader.byte(), 16)
    if order > 1 or max(width, first_size, base_size) > _WIDEST:
        raise FrameError(
            f"a series of integers of order {order}, {width} bytes each: this version of pointq writes none like it"
        )
    first = int.from_bytes(reader.take(first_size), "little", signed=True)
    base = int.from_bytes(reader.take(base_size), "little", signed=True)
    if order == 0:
        return _planes(reader, width, count) + base
    if count == 0:
        raise FrameError("a series of no integers has a first one")
    out = np.empty(count, np.int64)
    out[0] = first
    out[1:] = _planes(reader, width, count - 1)
    out[1:] += base
    return np.cumsum(out, out=out)


def _planes(reader: Reader, width: int, count: int) -> Ints:
    planes = reader.array(width * count)
    values = np.zeros((count, 8), np.uint8)
    if width:
        values[:, :width] = planes.reshape(width, count).T
    return values.view(np.int64).ravel()
