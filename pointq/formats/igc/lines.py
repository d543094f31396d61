"""The lines of an IGC file as positions in its bytes, found without looking at one line at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FormatError

Positions = NDArray[np.int64]
"""Offsets in the bytes of the file, shape (n,)."""

MAX_COLUMN = 99
"""Last column that an I record can name: its numbers have two digits."""

MOST_LINES = 2**23
"""Lines that are looked at in one file; in 256 MiB there is room for 7.5 million fixes."""
MOST_DECLARATIONS = 100_000
"""H.DTE records, and I records, in one file: each is read by itself. A season joined to one file has some thousand."""

_READ = np.zeros(256, np.bool_)
_READ[list(b"AHIB\0")] = True
"""First bytes of the lines that mean something here: the others, empty lines too, cost no memory."""

_BLOCK_BYTES = 2**21
_LF, _CR = 10, 13
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Where the A, H, I and B records begin and end; line i is ``buffer[starts[i]:ends[i]]``.

    Lines that begin with a NUL byte are among them. `buffer` is the file, uint8, with more line ends behind it, so that a
    window of up to `MAX_COLUMN` bytes at any place of the file stays inside.
    """

    buffer: NDArray[np.uint8]
    starts: Positions
    ends: Positions
    letters: NDArray[np.uint8]
    """The first byte of each."""

    def starting_with(self, letter: bytes) -> NDArray[np.int64]:
        """The lines whose first byte that is, as indices."""
        return np.flatnonzero(self.letters == letter[0])

    def text(self, line: int, most: int) -> bytes:
        """The bytes of one line, not more than that many: a line may be as long as the file."""
        start = self.starts[line]
        return self.buffer[start : min(self.ends[line], start + most)].tobytes()

    def numbers(self, positions: Positions) -> NDArray[np.int64]:
        """Line numbers, from 1, of places in the file in increasing order, as an editor counts them.

        LF, CR or both end a line.
        """
        numbers = np.ones(len(positions), np.int64)
        for ends in _ends(self.buffer, int(positions[-1]) if len(positions) else 0):
            whole = ends[~((self.buffer[ends] == _CR) & (self.buffer[ends + 1] == _LF))]
            numbers += np.searchsorted(whole, positions)
        return numbers


def split_lines(data: bytes) -> Lines:
    """The lines of a file, whatever mixture of LF, CR and CRLF ends them, the last one perhaps by nothing.

    Raises FormatError where there are more than `MOST_LINES`.
    """
    buffer = np.frombuffer(data + b"\n" * (MAX_COLUMN + 1), np.uint8)
    start = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    found, count = [], 0
    for ends in _ends(buffer, len(data) + 1):
        starts = np.empty_like(ends)
        starts[0] = start
        np.add(ends[:-1], 1, out=starts[1:])
        start = int(ends[-1]) + 1
        letters = buffer[starts]
        kept = _READ[letters]
        found.append((starts[kept], ends[kept], letters[kept]))
        count += len(found[-1][0])
        if count > MOST_LINES:
            raise FormatError(f"more than {MOST_LINES:,} records: no flight recorder writes so many into one file")
    starts, ends, letters = found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
    return Lines(buffer, starts, ends, letters)


def few(found: NDArray[np.int64], name: str) -> list[int]:
    """Those lines, each of which is to be read by itself. Raises FormatError where they are more than `MOST_DECLARATIONS`."""
    if len(found) > MOST_DECLARATIONS:
        raise FormatError(
            f"{len(found):,} {name} records in one file: at most {MOST_DECLARATIONS:,} are read",
            hint="no flight recorder writes so many: check what made the file",
        )
    lines: list[int] = found.tolist()
    return lines


def windows(buffer: NDArray[np.uint8], positions: Positions, width: int) -> NDArray[np.uint8]:
    """The `width` bytes at each of the positions, as columns: shape (width, n), each row contiguous."""
    # what sliding_window_view gives, without the 20 us that it takes each time
    every = np.ndarray((len(buffer) - width + 1, width), np.uint8, buffer, strides=(1, 1))
    return np.ascontiguousarray(every[positions].T)


def _ends(buffer: NDArray[np.uint8], stop: int) -> Iterator[Positions]:
    """Where LF and CR stand before `stop`, block by block: of line ends alone the positions take eight times their size."""
    for start in range(0, stop, _BLOCK_BYTES):
        within = buffer[start : min(start + _BLOCK_BYTES, stop)]
        ends = np.flatnonzero((within == _LF) | (within == _CR))
        if len(ends):
            yield ends + start if start else ends
