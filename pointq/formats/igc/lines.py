"""The lines of an IGC file as positions in its bytes, found without looking at one line at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
"""Offsets in the bytes of the file, shape (n,)."""

MAX_COLUMN = 99
"""Last column that an I record can name: its numbers have two digits."""

_LF, _CR = 10, 13
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Where lines begin and end; line i is ``buffer[starts[i]:ends[i]]``. Between CR and LF stands an empty line.

    `buffer` is the file, uint8, with more line ends behind it, so that a window of up to `MAX_COLUMN` bytes at any place
    of the file stays inside.
    """

    buffer: NDArray[np.uint8]
    starts: Positions
    ends: Positions

    def starting_with(self, letter: bytes) -> NDArray[np.int64]:
        """The lines whose first byte that is, as indices."""
        return np.flatnonzero(self.buffer[self.starts] == letter[0])

    def text(self, line: int) -> bytes:
        """The bytes of one line."""
        return self.buffer[self.starts[line] : self.ends[line]].tobytes()

    def numbers(self, positions: Positions) -> NDArray[np.int64]:
        """Line numbers, from 1, of places in the file, as an editor counts them: LF, CR or both end a line."""
        after = self.buffer[self.ends + 1]
        ends = self.ends[~((self.buffer[self.ends] == _CR) & (after == _LF))]
        return np.searchsorted(ends, positions) + 1


def split_lines(data: bytes) -> Lines:
    """The lines of a file, whatever mixture of LF, CR and CRLF ends them, the last one perhaps by nothing."""
    buffer = np.frombuffer(data + b"\n" * (MAX_COLUMN + 1), np.uint8)
    within = buffer[: len(data) + 1]
    ends = np.flatnonzero((within == _LF) | (within == _CR))
    starts = np.empty_like(ends)
    starts[0] = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    np.add(ends[:-1], 1, out=starts[1:])
    return Lines(buffer, starts, ends)


def windows(buffer: NDArray[np.uint8], positions: Positions, width: int) -> NDArray[np.uint8]:
    """The `width` bytes at each of the positions, as columns: shape (width, n), each row contiguous."""
    rows = np.lib.stride_tricks.sliding_window_view(buffer, width)[positions]
    return np.ascontiguousarray(rows.T)
