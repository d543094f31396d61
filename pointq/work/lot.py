"""A lot: what a worker takes from one lane at a time and stores, in one transaction where the database takes it so."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FrameError
from pointq.points import frame
from pointq.points.batch import PointBatch, concat
from pointq.queue.consumer import DeadLetter, Entry
from pointq.queue.lanes import Lane
from pointq.store.prepared import Prepared, prepare
from pointq.work.progress import Progress, Refused

UNREADABLE = "frame"
"""Stands in a dead letter in place of an SQLSTATE: the frame itself could not be decoded."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Entries of one lane with their points in one batch."""

    lane: Lane
    entries: Sequence[Entry]
    """All that were read, those with an unreadable frame too."""
    batch: PointBatch | None
    """The points of all readable entries, in order; None where there are none."""
    prepared: Prepared | None
    entry_of_row: NDArray[np.int64]
    """Index in `entries` for each point, shape (n,)."""
    unreadable: Sequence[DeadLetter]
    progress: Progress | None
    """How far it is stored; None where there is nothing to store."""

    @property
    def former(self) -> frozenset[str]:
        """The workers that its entries were taken over from."""
        return frozenset(entry.former for entry in self.entries if entry.former is not None)

    async def dead_letters(self, refused: Sequence[Refused]) -> list[DeadLetter]:
        """The dead letters of refused points, one each, as a frame with that point alone."""
        letters = []
        for refusal in refused:
            # those of a lot that is refused whole take seconds, and the worker's heart must beat
            await asyncio.sleep(0)
            letters.append(self._dead_letter(refusal))
        return letters

    def _dead_letter(self, refusal: Refused) -> DeadLetter:
        if self.batch is None:
            raise ValueError("a lot without points cannot have a refused one")
        alone = self.batch.only(np.array([refusal.row]))
        entry = self.entries[int(self.entry_of_row[refusal.row])]
        return DeadLetter(entry, frame.encode(alone), 1, refusal.sqlstate, refusal.message)


async def make_lot(lane: Lane, entries: Sequence[Entry]) -> Lot:
    """Decode the entries' frames and make the points ready for the writer."""
    batches: list[PointBatch] = []
    sources: list[NDArray[np.int64]] = []
    unreadable: list[DeadLetter] = []
    for index, entry in enumerate(entries):
        # the lot before is being stored: its rows must be sent, and the database answered, between any two frames
        await asyncio.sleep(0)
        try:
            batch = _decode(entry)
        except FrameError as exc:
            unreadable.append(DeadLetter(entry, entry.frame, entry.points, UNREADABLE, exc.message))
            continue
        if len(batch):
            batches.append(batch)
            sources.append(np.full(len(batch), index))
    if not batches:
        return Lot(lane, entries, None, None, np.empty(0, np.int64), unreadable, None)
    merged = concat(batches)
    return Lot(lane, entries, merged, prepare(merged), np.concatenate(sources), unreadable, Progress(merged))


def _decode(entry: Entry) -> PointBatch:
    batch = frame.decode(entry.frame)
    if batch.kind is not entry.lane.kind:
        raise FrameError(f"the frame holds {batch.kind.name} points, but waits in the lane of {entry.lane.kind.name} points")
    if len(batch) != entry.points:
        raise FrameError(f"the frame holds {len(batch)} points, but its entry says {entry.points}")
    return batch
