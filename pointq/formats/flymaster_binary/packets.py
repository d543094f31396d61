"""Where in the bytes of a file the packets of a Flymaster instrument are, and what stands between them.

::

    A0A0 | length | data | checksum      the instrument and the pilot; a track begins
    A1A1 | length | data | checksum      a fix
    A2A2 | length | data | checksum      fixes, each relative to the one before
    A3A3                                 the track ends

The id is two equal bytes, the length one byte, the checksum the XOR of the length and the data. A packet is what has an id, a
length that this id can have, and the right checksum; the file is read from its beginning, and behind a damaged place from the
next packet on.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw

ABOUT, FIX, FIXES, END = 0xA0, 0xA1, 0xA2, 0xA3
"""The bytes of the ids."""

HEAD = 3
"""Bytes of a packet before its data: id and length."""
ABOUT_BYTES = 61
"""Of an A0A0 packet what is read; two more bytes follow whose meaning is unknown."""
FIX_BYTES = 17
STEP_BYTES = 6
"""Bytes of one fix in an A2A2 packet."""

_FRAME = HEAD + 1
"""Bytes of a packet besides its data."""
_END_MARK = bytes([END, END])
_END_MARKS = re.compile(rb"(?:\xa3\xa3)*+")
_LONGEST = _FRAME + 255
"""Bytes of the longest packet."""
_BLOCK_BYTES = 2**20
"""How much is searched at a time."""
_SAMPLE_BYTES = 4096
"""How much of a file is looked at to tell what it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """The packets of a file in order, shape (n,) each, and the places between them that are none."""

    starts: NDArray[np.int64]
    """Bytes where their ids are, from 0."""
    kinds: NDArray[np.uint8]
    """`ABOUT`, `FIX` or `FIXES`."""
    lengths: NDArray[np.int64]
    """Bytes of their data."""
    after_gap: NDArray[np.bool_]
    """Whether something else, damage or an end mark, stands before it."""
    skipped: NDArray[np.int64]
    """Bytes where places begin that are neither packet nor end mark, shape (m,)."""
    flaws: Codes
    """Why none begins there, shape (m,)."""
    complete: bool
    """Whether the file ends with an end mark."""


def looks_like_packets(data: bytes) -> bool:
    """Whether the file begins with the id of a packet, or an A0A0 packet stands near its beginning."""
    if data[:2] in (bytes([kind, kind]) for kind in (ABOUT, FIX, FIXES)):
        return True
    head = np.frombuffer(data[:_SAMPLE_BYTES], np.uint8)
    starts, _ = _candidates(head)
    return bool((head[starts] == ABOUT).any())


def find_packets(data: bytes) -> Packets:
    """All packets of a file."""
    buffer = np.frombuffer(data, np.uint8)
    starts, ends = _packets(buffer)
    gap_starts, gap_ends = np.append(0, ends), np.append(starts, len(data))
    is_gap = gap_starts < gap_ends
    skipped = _behind_end_marks(data, gap_starts[is_gap], gap_ends[is_gap])
    return Packets(
        starts,
        buffer[starts],
        ends - starts - _FRAME,
        is_gap[:-1],
        skipped,
        _flaws_at(buffer, skipped),
        bool(is_gap[-1]) and data.endswith(_END_MARK),
    )


def _packets(buffer: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the packets that are read begin and end; block by block, so that a long file takes little memory."""
    found, at = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], 0
    while at < len(buffer):
        starts, ends = _candidates(buffer[at : at + _BLOCK_BYTES])
        chosen = _chain(starts, ends)
        found.append((starts[chosen] + at, ends[chosen] + at))
        # a packet that the end of the block cuts begins no earlier than this
        at += max(int(ends[chosen][-1]) if len(chosen) else 0, _BLOCK_BYTES - _LONGEST + 1)
    starts, ends = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return starts, ends


def _candidates(buffer: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where packets begin and end, those included that are only a part of another one's data."""
    ids = buffer[:-1]
    starts = np.flatnonzero((ids == buffer[1:]) & (ids >= ABOUT) & (ids <= FIXES))
    starts = starts[starts + _FRAME <= len(buffer)]
    lengths = buffer[starts + 2].astype(np.int64)
    ends = starts + lengths + _FRAME
    possible = (ends <= len(buffer)) & _has_right_length(buffer[starts], lengths)
    starts, ends = starts[possible], ends[possible]
    # the XOR of everything before each byte: that of any stretch is the XOR of two of them
    before = np.append(np.uint8(0), np.bitwise_xor.accumulate(buffer))
    good = before[starts + 2] == before[ends]
    return starts[good], ends[good]


def _has_right_length(kinds: NDArray[np.uint8], lengths: NDArray[np.int64] | NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.select(
        [kinds == ABOUT, kinds == FIX],
        [lengths >= ABOUT_BYTES, lengths == FIX_BYTES],
        lengths % STEP_BYTES == 0,
    )


def _chain(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of possible packets those that are read, one after the other: the first, and then the next one behind its end."""
    following = np.searchsorted(starts, ends)
    if (following == np.arange(1, len(starts) + 1)).all():
        return np.arange(len(starts))
    chosen = np.zeros(len(starts), np.bool_)
    steps, at = following.tolist(), 0
    while at < len(starts):
        chosen[at] = True
        at = steps[at]
    return np.flatnonzero(chosen)


def _behind_end_marks(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first byte that belongs to no end mark, of each gap that has one."""
    at = starts.copy()
    buffer = np.frombuffer(data, np.uint8)
    marked = buffer[starts] == END
    for gap in np.flatnonzero(marked).tolist():
        marks = _END_MARKS.match(data, starts[gap], ends[gap])
        at[gap] = marks.end() if marks else starts[gap]
    return at[at < ends]


def _flaws_at(buffer: NDArray[np.uint8], positions: NDArray[np.int64]) -> Codes:
    """Why no packet begins at those bytes, shape (n,)."""
    first, second, length = (buffer.take(positions + i, mode="clip") for i in range(HEAD))
    is_id = (first == second) & (first >= ABOUT) & (first <= FIXES) & (positions + 1 < len(buffer))
    is_cut = positions + _FRAME + np.where(positions + HEAD <= len(buffer), length, 0) > len(buffer)
    return np.select(
        [~is_id, is_cut, _has_right_length(first, length)],
        [np.uint8(Flaw.NO_PACKET), np.uint8(Flaw.PACKET_CUT), np.uint8(Flaw.PACKET_CHECKSUM)],
        np.uint8(Flaw.PACKET_LENGTH),
    )
