"""Figures of several processes, each on its own place of a board that all of them see.

The board is a piece of memory without a name, which the first process makes and its children inherit: nobody else can open it,
nothing is left of it when the last process has ended, however it ended, and it needs no folder. Each place has two halves,
written in turn with a checksum: a process that is killed while it writes leaves the half before. A process that takes the place
of a dead one goes on from its counters; the gauges of a process that says nothing any more are not believed.
"""

import os
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

import orjson

from pointq.metrics.figures import Series

SILENT_SECONDS = 5.0
"""After which a process's gauges are not believed: it says them anew each second."""

_HALF_BYTES = 1024 * 1024
"""Several times what 200 series of each metric take; memory is only used for what is written."""
_HEAD = Struct("<QdII")
"""Number of the writing, when (seconds of the machine's clock since its start), length and CRC-32 of what follows."""

Told = Mapping[str, Sequence[Series]]
"""Series by the metric's name."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One process's place on a board."""

    fd: int
    place: int
    places: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a process told last."""

    told: Told
    age: float
    """Seconds."""


def board(places: int) -> list[Seat]:
    """A new board; its places. It is there until the process ends."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("pointq-metrics")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    return [Seat(fd, place, places) for place in range(places)]


class Writer:
    """Tells what a process has counted."""

    def __init__(self, seat: Seat, clock: Callable[[], float] = time.monotonic) -> None:
        self._seat = seat
        self._clock = clock
        self._number = max((number for number, _, _ in _halves(seat.fd, seat.place)), default=0)

    def write(self, told: Told) -> None:
        """Tell it. Raises ValueError where it is too much, which is a defect."""
        text = orjson.dumps({name: [(s.labels, s.value, s.buckets) for s in series] for name, series in told.items()})
        if len(text) > _HALF_BYTES - _HEAD.size:
            raise ValueError(f"a process tells {len(text)} bytes of metrics; there is room for {_HALF_BYTES}")
        self._number += 1
        head = _HEAD.pack(self._number, self._clock(), len(text), zlib.crc32(text))
        os.pwrite(self._seat.fd, head + text, _at(self._seat.place, self._number % 2))


def read(seat: Seat, place: int, clock: Callable[[], float] = time.monotonic) -> Sheet:
    """What the process at a place of the same board told last; nothing where none ever did."""
    _, at, text = max(_halves(seat.fd, place), default=(0, 0.0, b"{}"))
    told = {
        name: [Series(tuple(labels), value, tuple(buckets)) for labels, value, buckets in series]
        for name, series in orjson.loads(text).items()
    }
    return Sheet(told, clock() - at)


def _halves(fd: int, place: int) -> Sequence[tuple[int, float, bytes]]:
    """The halves that are whole: number, time, text."""
    found = []
    for half in (0, 1):
        at = _at(place, half)
        head = os.pread(fd, _HEAD.size, at)
        if len(head) < _HEAD.size:
            continue
        number, moment, length, crc = _HEAD.unpack(head)
        text = os.pread(fd, min(length, _HALF_BYTES), at + _HEAD.size)
        if number and zlib.crc32(text) == crc:
            found.append((number, moment, text))
    return found


def _at(place: int, half: int) -> int:
    return (2 * place + half) * _HALF_BYTES
