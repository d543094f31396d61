"""The three ways."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import psycopg

from pointq.aio import cancel
from pointq.errors import DatabaseError
from pointq.ingest.intake import Declined, Parcel, Via
from pointq.metrics.counted import DUPLICATE, ENQUEUE, STORED
from pointq.points.batch import PointBatch
from pointq.queue.ledger import Ledger
from pointq.queue.producer import Append, Producer, open_producer
from pointq.spool.record import Record
from pointq.spool.spool import Spool
from pointq.store.faults import Fault, fault, one_line
from pointq.store.mapping import PLAIN, Tables
from pointq.store.prepared import prepare
from pointq.store.writer import Writer

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

_WRITERS = 2
"""Connections to the database for points that cannot go by the queue: enough to keep it busy, few for the workers' sake."""


class QueueWay:
    """Redis. What the server promises is asked for when it is first used, and again after it failed: it may be another one."""

    via = Via.QUEUE

    def __init__(
        self, redis: "Redis", url: str, lane: "Lane", durability: Literal["fsync", "memory"], min_replicas: int = 0
    ) -> None:
        self._redis = redis
        self._url = url
        self._lane = lane
        """Any lane: what shows there whether the server takes points shows it for all."""
        self._durability = durability
        self._min_replicas = min_replicas
        self._producer: Producer | None = None
        self.ledger = Ledger(redis, url)

    async def open(self) -> Producer:
        """The producer. Raises RedisError, DurabilityError where the server can give no promise."""
        if self._producer is None:
            self._producer = await open_producer(self._redis, self._url, self._durability, self._min_replicas, self.ledger)
        return self._producer

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:
        """Append the frames; without any, see whether the server would take some."""
        appends = [Append(p.lane, p.frame, p.points, 0 if i else rejected) for i, p in enumerate(parcels)]
        try:
            producer = await self.open()
            if appends:
                began = time.perf_counter()
                await producer.enqueue(appends)
                ENQUEUE.add(time.perf_counter() - began)
            else:
                await producer.probe(self._lane)
        except BaseException:
            self._producer = None
            raise


class DatabaseWay:
    """The database, by the same writer as the workers'."""

    via = Via.DATABASE

    def __init__(self, url: str, tables: Tables = PLAIN, *, connect_timeout: float = 5.0) -> None:
        self._free: asyncio.LifoQueue[Writer] = asyncio.LifoQueue()
        self._writers = [Writer(url, tables, connect_timeout=connect_timeout) for _ in range(_WRITERS)]
        for writer in self._writers:
            self._free.put_nowait(writer)

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:  # noqa: ARG002 - only Redis counts refusals
        """Write the points, each lane's in one transaction; a point that the database refuses as data takes the next way."""
        writer = await self._free.get()
        try:
            await _write_within(writer, [parcel.batch for parcel in parcels if parcel.batch is not None])
        except psycopg.Error as exc:
            if fault(exc) is Fault.DATA:
                # a worker finds the bad points, once they come by the queue: one sender's poison must not close the way to all
                raise Declined(f"the database refuses a point: {one_line(exc)}") from exc
            raise DatabaseError(one_line(exc)) from exc
        finally:
            self._free.put_nowait(writer)

    async def close(self) -> None:
        """Close the connections."""
        for writer in self._writers:
            await writer.close()


async def _write_within(writer: Writer, batches: Sequence[PointBatch]) -> None:
    """Write; whoever is cancelled meanwhile is let go at once.

    psycopg asks a server that says nothing to cancel, and waits 10 s for it: the request has another way to go.
    """
    writing = asyncio.ensure_future(_write(writer, batches))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        if writer.abort():
            await asyncio.gather(writing, return_exceptions=True)
        else:
            await cancel(writing)
        raise


async def _write(writer: Writer, batches: Sequence[PointBatch]) -> None:
    for batch in batches:
        done = await writer.write(prepare(batch))
        STORED.add(done.stored, batch.kind.name)
        DUPLICATE.add(done.duplicates, batch.kind.name)


class SpoolWay:
    """The disk of this machine."""

    via = Via.SPOOL

    def __init__(self, spool: Spool, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._spool = spool
        self._now_us = now_us

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:  # noqa: ARG002 - only Redis counts refusals
        """Append the frames."""
        now = self._now_us()
        await self._spool.append([Record(p.lane.kind.name, p.points, p.frame, now) for p in parcels])
