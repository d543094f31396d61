"""Group commit: requests that arrive while a batch is on its way to Redis make up the next one.

An idle server sends at once, so nobody waits for company; a busy one sends fewer, larger batches, each in one round trip.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo

from pointq.errors import PointqError
from pointq.ingest.merge import merge
from pointq.ingest.submission import Merged, Submission, Verdict
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import Kind
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from pointq.queue.sharding import by_shard

log = logging.getLogger("pointq.ingest")

_MERGED_POINTS = 20_000
"""Points after which a batch takes no further request: what one transaction of a worker holds."""

_Waiting = tuple[Submission, "asyncio.Future[Verdict]"]


def _now_us() -> int:
    return time.time_ns() // 1000


class GroupCommit:
    """Makes the requests of one kind durable, several at a time. `start` and `stop` may be called twice."""

    def __init__(
        self,
        kind: Kind,
        lanes: Sequence[Lane],
        producer: Producer,
        *,
        zone: tzinfo = UTC,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._kind = kind
        self._lanes = lanes
        self._producer = producer
        self._zone = zone
        self._now_us = now_us
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._uncounted = 0
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to commit."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"commit {self._kind.name}")

    async def stop(self) -> None:
        """Commit what has arrived, then end."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    async def submit(self, submission: Submission) -> Verdict:
        """Returns when the good points of the request are durable.

        Raises PointqError where they may not be: the sender must send them again.
        """
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, future))
        self._arrived.set()
        return await future

    async def append(self, batch: PointBatch, rejected: int = 0) -> None:
        """Make a batch durable that is validated already. Raises PointqError where it may not be."""
        rejected += self._uncounted
        self._uncounted = 0
        if not len(batch):
            # counted with the next batch: a refusal must not need Redis
            self._uncounted = rejected
            return
        parts = by_shard(batch, len(self._lanes))
        appends = [
            Append(self._lanes[shard], frame.encode(part), len(part), rejected if i == 0 else 0)
            for i, (shard, part) in enumerate(parts)
        ]
        await self._producer.enqueue(appends)

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await self._commit(self._take())

    def _take(self) -> list[_Waiting]:
        points = count = 0
        while count < len(self._waiting) and points < _MERGED_POINTS:
            points += len(self._waiting[count][0].points)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            merged = self._merge(group)
            await self.append(merged.batch, merged.rejected)
        except PointqError as exc:
            _fail(group, exc)
        except Exception as exc:  # a defect must not end the loop: it fails the requests that met it, and says so
            log.exception("a group of %d requests failed", len(group))
            _fail(group, exc)
        else:
            for (_, future), verdict in zip(group, merged.verdicts, strict=True):
                if not future.done():
                    future.set_result(verdict)

    def _merge(self, group: Sequence[_Waiting]) -> Merged:
        return merge(self._kind, [submission for submission, _ in group], now_us=self._now_us(), zone=self._zone)


def _fail(group: Sequence[_Waiting], exc: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(exc)
