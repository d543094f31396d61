"""Storing a batch whatever the database says of it: try again, halve, or find the points that are at fault."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import psycopg
from numpy.typing import NDArray

from pointq.aio import Backoff
from pointq.points.batch import PointBatch
from pointq.store.faults import Fault, fault, one_line
from pointq.store.prepared import Prepared, prepare
from pointq.store.writer import Stored
from pointq.work.lot import Lot, Refused

Write = Callable[[Prepared], Awaitable[Stored]]

_CONFLICTS = 10
"""Deadlocks and serialization failures in a row after which it is the installation's trouble."""


@dataclass(slots=True)
class Tally:
    """What became of a lot's points."""

    stored: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)


async def store(write: Write, lot: Lot, backoff: Backoff) -> Tally:
    """Store all points of a lot that the database takes.

    Raises psycopg.Error for what is the installation's fault; what was stored until then comes back as duplicates.
    """
    if lot.batch is None or lot.prepared is None:
        return Tally()
    return await store_batch(write, lot.batch, lot.prepared, backoff)


async def store_batch(write: Write, batch: PointBatch, prepared: Prepared, backoff: Backoff) -> Tally:
    """The same for a batch, and for the same made ready for the writer."""
    tally = Tally()
    await _store(write, batch, np.arange(len(batch)), prepared, tally, backoff)
    return tally


async def _store(
    write: Write, batch: PointBatch, rows: NDArray[np.int64], prepared: Prepared, tally: Tally, backoff: Backoff
) -> None:
    try:
        stored = await _insist(write, prepared, backoff)
    except psycopg.Error as exc:
        blame = fault(exc)
        if blame not in {Fault.DATA, Fault.SIZE} or (blame is Fault.SIZE and len(rows) == 1):
            raise
        if len(rows) == 1:
            tally.refused.append(Refused(int(rows[0]), exc.sqlstate or "", one_line(exc)))
            return
    else:
        tally.stored += stored.stored
        tally.duplicates += stored.duplicates
        return
    # outside the handler: a deep bisection must not chain the errors of every level
    for half in np.array_split(rows, 2):
        await _store(write, batch, half, prepare(batch.only(half)), tally, backoff)


async def _insist(write: Write, prepared: Prepared, backoff: Backoff) -> Stored:
    """Write; again after a conflict with another transaction."""
    for _ in range(_CONFLICTS):
        try:
            return await write(prepared)
        except psycopg.Error as exc:
            if fault(exc) is not Fault.CONFLICT:
                raise
        await backoff.wait()
    return await write(prepared)
