"""How far a batch is on its way into the database: what became of its points, and which are left."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import PointBatch

Rows = NDArray[np.int64]
"""Numbers of points in a batch, shape (n,)."""

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A point that the database refuses as data."""

    row: int
    sqlstate: str
    message: str


@dataclass(slots=True)
class Tally:
    """What became of points."""

    stored: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)


class Progress:
    """The pieces of a batch that are left, the next one last: at first the whole batch, less where that is too much at once."""

    def __init__(self, batch: PointBatch) -> None:
        self.tally = Tally()
        self.left: list[Rows] = [np.arange(len(batch))] if len(batch) else []
        self.batch = batch

    @property
    def next(self) -> Rows:
        """The points to store next."""
        return self.left[-1]

    def stored(self, stored: int, duplicates: int) -> None:
        """The next ones are in the database."""
        self.left.pop()
        self.tally.stored += stored
        self.tally.duplicates += duplicates

    def refused(self, sqlstate: str, message: str) -> None:
        """The next one, alone, is refused as data."""
        self.tally.refused.append(Refused(int(self.left.pop()[0]), sqlstate, message))

    def search(self) -> None:
        """Some of the next ones are at fault: look at each half."""
        first, second = np.array_split(self.left.pop(), 2)
        self.left += [second, first]

    def cut(self) -> None:
        """The next ones are too much at once: go on with pieces of half the size, the newest days first, flight by flight.

        What is too much for TimescaleDB is what must be decompressed for it, a thousand rows of one flight at a time: the
        fewer flights, the less; and what is not compressed yet need not wait.
        """
        most = -(-len(self.next) // 2)
        self.left[-1] = self.next[self._order(self.next)]
        self.left = [part for piece in self.left for part in _parts(piece, most)]

    def _order(self, rows: Rows) -> Rows:
        time, flight = self.batch.time[rows], self.batch.flight[rows]
        order: Rows = np.lexsort((time, flight, -(time // _DAY_US)))
        return order


def _parts(rows: Rows, most: int) -> Sequence[Rows]:
    return np.array_split(rows, -(-len(rows) // most))[::-1]
