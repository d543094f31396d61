"""Files that are posted: read in a process of their own, so that no live point waits for one, and accepted like all points."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pointq.errors import PointqError
from pointq.ingest.intake import Intake, Parcel, Via
from pointq.metrics.counted import RECORD, REJECTED
from pointq.ops.archives import Bounds
from pointq.ops.importing.options import Options
from pointq.ops.importing.readers import Processes
from pointq.ops.importing.reading import Piece, ReadFile, Task, unread
from pointq.ops.importing.report import FileReport
from pointq.ops.source import Source
from pointq.ops.sources import of_data
from pointq.points import frame
from pointq.queue.lanes import Lane

_AT_ONCE = 4
"""Requests whose files are in memory at a time; the others wait."""

_ARCHIVE_TIMES = 16
"""An archive may unpack to so many times the largest body, all in all: one file after the other, so never at once."""

_TOGETHER = 4
"""Frames of a file that are accepted together."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was posted."""

    name: str
    data: bytes = field(repr=False)


class Desk:
    """Takes files and makes their points durable."""

    def __init__(self, intake: Intake, lanes: Sequence[Lane], *, most_bytes: int) -> None:
        self._intake = intake
        self._lanes = {(lane.kind.name, lane.shard): lane for lane in lanes}
        self._shards = len({lane.shard for lane in lanes})
        self._bounds = Bounds(file_bytes=most_bytes, archive_bytes=_ARCHIVE_TIMES * most_bytes, members=10_000)
        self._reader = Processes(1)
        self.turn = asyncio.Semaphore(_AT_ONCE)
        """To be held by whoever has files in memory."""

    async def take(self, uploads: Sequence[Upload], options: Options) -> tuple[list[FileReport], Via]:
        """What became of each file, those in archives too, and which way the last points went.

        Raises Unavailable where the points of a file may not be durable: the sender must send all again, which is harmless.
        """
        reports: list[FileReport] = []
        via = Via.QUEUE
        for upload in uploads:
            sources = iter(of_data(upload.name, upload.data, self._bounds))
            while source := await asyncio.to_thread(next, sources, None):
                file = await self._read(source, options)
                if file.pieces:
                    via = await self._accept(file)
                    if file.report.rejected:
                        REJECTED.add(file.report.rejected, file.pieces[0].kind, RECORD)
                reports.append(replace(file.report, outcome="accepted") if file.pieces else file.report)
        return reports, via

    async def close(self) -> None:
        """End the process that reads."""
        await self._reader.close()

    async def _read(self, source: Source, options: Options) -> ReadFile:
        try:
            data = await asyncio.to_thread(source.read)
        except PointqError as exc:
            return unread(source, exc)
        now_us = time.time_ns() // 1000
        task = Task(source.name, source.file_name, data, options, now_us, self._shards, was_named=source.was_named)
        return await self._reader.read(task)

    async def _accept(self, file: ReadFile) -> Via:
        via = Via.QUEUE
        rejected = file.report.rejected
        for start in range(0, len(file.pieces), _TOGETHER):
            parcels = await asyncio.to_thread(self._parcels, file.pieces[start : start + _TOGETHER])
            via = await self._intake.accept(parcels, rejected)
            rejected = 0
        return via

    def _parcels(self, pieces: Sequence[Piece]) -> list[Parcel]:
        return [
            Parcel(self._lanes[piece.kind, piece.shard], piece.frame, piece.points, frame.decode(piece.frame))
            for piece in pieces
        ]


def points_of(reports: Iterable[FileReport]) -> int:
    """The points that were accepted."""
    return sum(report.fixes for report in reports)
