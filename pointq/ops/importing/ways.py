"""Where the points of a file go: into the queue, into the database, or nowhere."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import psycopg

from pointq.aio import Backoff
from pointq.errors import DatabaseError
from pointq.ops.importing.follow import Follower
from pointq.ops.importing.reading import Piece, ReadFile
from pointq.ops.importing.report import FileReport
from pointq.ops.importing.room import Room
from pointq.points import frame
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from pointq.store.faults import one_line
from pointq.store.prepared import prepare
from pointq.store.writer import Writer
from pointq.work.progress import Tally
from pointq.work.storing import store_batch

_ROUND_POINTS = 160_000
"""Points that go to Redis in one round trip: half a megabyte, and one sync of its disk."""


class Way(Protocol):
    """Takes the points of a file that was read and has some."""

    @property
    def shards(self) -> int:
        """How many shards the points are split into."""

    async def take(self, file: ReadFile) -> FileReport:
        """The points are durable when it returns the report. Raises BackendError where they may not be."""


class Nowhere:
    """A dry run, or a file whose points a server has taken already."""

    shards = 1

    async def take(self, file: ReadFile) -> FileReport:
        """Leave it as it is."""
        return file.report


class QueueWay:
    """Into the queue, within its room."""

    def __init__(self, producer: Producer, lanes: Sequence[Lane], room: Room | None, follower: Follower | None = None) -> None:
        self._producer = producer
        self._lanes = lanes
        self._room = room
        self._follower = follower
        self.shards = len({lane.shard for lane in lanes})

    async def take(self, file: ReadFile) -> FileReport:
        """Enqueue the points; Redis has them on disk when it returns."""
        if self._follower is not None:
            await self._follower.remember(file.pieces[0].kind, file.flights)
        rejected = file.report.rejected
        for pieces in _rounds(file.pieces, min(_ROUND_POINTS, self._room.most) if self._room else _ROUND_POINTS):
            if self._room is not None:
                await self._room.take(sum(piece.points for piece in pieces))
            await self._enqueue(pieces, rejected)
            rejected = 0
        return replace(file.report, outcome="queued")

    async def _enqueue(self, pieces: Sequence[Piece], rejected: int) -> None:
        appends = [Append(self._lane(piece), piece.frame, piece.points, 0 if i else rejected) for i, piece in enumerate(pieces)]
        for append, entry in zip(appends, await self._producer.enqueue(appends), strict=True):
            if self._follower is not None:
                self._follower.enqueued(append.lane, entry)

    def _lane(self, piece: Piece) -> Lane:
        return next(lane for lane in self._lanes if lane.kind.name == piece.kind and lane.shard == piece.shard)


class DirectWay:
    """Into the database, by the same writer as the workers'."""

    shards = 1

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def take(self, file: ReadFile) -> FileReport:
        """Store the points; they are committed when it returns."""
        done = Tally()
        for piece in file.pieces:
            tally = await self._store(piece)
            done.stored += tally.stored
            done.refused += tally.refused
        if done.refused:
            error = f"the database refuses {len(done.refused)} fixes: {done.refused[0].message}"
            return replace(file.report, new=done.stored, outcome="failed", error=error)
        return replace(file.report, new=done.stored, outcome="stored" if done.stored else "nothing new")

    async def _store(self, piece: Piece) -> Tally:
        batch = frame.decode(piece.frame)
        prepared = await asyncio.to_thread(prepare, batch)
        try:
            return await store_batch(self._writer.write, batch, prepared, Backoff())
        except psycopg.Error as exc:
            raise DatabaseError(
                f"the points cannot be stored: {one_line(exc)}", hint="`pointq db status` says which tables are there"
            ) from exc


def _rounds(pieces: Sequence[Piece], most: int) -> Iterator[list[Piece]]:
    """The pieces by round trip: as many as stay under `most` points, at least one."""
    together: list[Piece] = []
    for piece in pieces:
        if together and sum(each.points for each in together) + piece.points > most:
            yield together
            together = []
        together.append(piece)
    if together:
        yield together
