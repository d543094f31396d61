"""Storing a batch whatever the database says of it: try again, cut it smaller, or find the points that are at fault."""

import time
from collections.abc import Awaitable, Callable

import psycopg

from pointq.aio import Backoff
from pointq.points.batch import PointBatch
from pointq.store.faults import Fault, fault, one_line
from pointq.store.prepared import Prepared, prepare
from pointq.store.writer import Stored
from pointq.work.lot import Lot
from pointq.work.progress import Progress, Tally

Write = Callable[[Prepared], Awaitable[Stored]]

SLICE_SECONDS = 0.5
"""How long a worker is at one lot that has to be stored piece by piece, before it looks after other lanes."""

_CONFLICTS = 10
"""Deadlocks and serialization failures in a row after which it is the installation's trouble."""


async def store(write: Write, lot: Lot, backoff: Backoff, *, clock: Callable[[], float] = time.monotonic) -> bool:
    """Store the points of a lot that the database takes; `lot.progress` says what became of them.

    False where it is not through after some time: call again to go on. Raises psycopg.Error for what is the installation's
    fault; what was stored until then stays so.
    """
    if lot.progress is None or lot.prepared is None:
        return True
    end = clock() + SLICE_SECONDS
    return await _go_on(write, lot.progress, lot.prepared, backoff, lambda: clock() >= end)


async def store_batch(write: Write, batch: PointBatch, prepared: Prepared, backoff: Backoff) -> Tally:
    """The same for a batch, and for the same made ready for the writer, to its end."""
    progress = Progress(batch)
    await _go_on(write, progress, prepared, backoff, lambda: False)
    return progress.tally


async def _go_on(write: Write, progress: Progress, prepared: Prepared, backoff: Backoff, is_enough: Callable[[], bool]) -> bool:
    while progress.left:
        whole = len(progress.next) == len(progress.batch)
        try:
            stored = await _insist(write, prepared if whole else prepare(progress.batch.only(progress.next)), backoff)
        except psycopg.Error as exc:
            _judge(exc, progress)
            continue
        progress.stored(stored.stored, stored.duplicates)
        if progress.left and is_enough():
            return False
    return True


def _judge(exc: psycopg.Error, progress: Progress) -> None:
    """What to do about the points that the database did not take. Raises the error where it is not about them."""
    blame, alone = fault(exc), len(progress.next) == 1
    if blame is Fault.DATA and alone:
        progress.refused(exc.sqlstate or "", one_line(exc))
    elif blame is Fault.DATA:
        progress.search()
    elif blame is Fault.SIZE and not alone:
        progress.cut()
    else:
        raise exc


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
