"""Group commit: requests that arrive while batches are on their way to Redis make up the next one.

An idle server sends at once, so nobody waits for company; a busy one sends fewer, larger batches, each in one round trip. All
that is done to a request is done to the whole group in one go: the same few lines of code on thirty requests run three
times as fast as on one request between thirty others' sockets, since they stay in the processor's caches.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from http import HTTPStatus

from pointq.errors import PointqError
from pointq.ingest.answers import accepted
from pointq.ingest.bodies import submission
from pointq.ingest.intake import Intake, Parcel, Via, parcels_of
from pointq.ingest.merge import merge
from pointq.ingest.problems import Problem
from pointq.ingest.seldom import defects
from pointq.ingest.submission import Submission, Verdict
from pointq.metrics.counted import RECORD, REJECTED, SHAPE
from pointq.points.batch import PointBatch
from pointq.points.kinds import Kind
from pointq.points.rejects import Rejects
from pointq.queue.lanes import Lane

_GROUP_BYTES = 512 * 1024
"""Bytes of bodies after which a group takes no further request: some 10 ms of work, which everyone else has to wait for."""

_IN_FLIGHT = 2
"""Batches on their way at a time: while Redis syncs one to disk, the next is made, once it is as large as the one before."""

_WAITING_BYTES = 64 * 2**20
"""Bytes of bodies that may wait, unpacked; whoever comes then is told to come again."""

_APPENDS = 8
"""Batches of `append` on their way at a time: each takes a connection to Redis."""

_Answer = asyncio.Future[bytes]
_Spend = Callable[[int], None]
_Request = tuple[bytes, str | None, _Spend | None, _Answer]
"""A body, the only device that it may be of (None: any), what counts its points (None: nobody), and where its answer goes."""


def _now_us() -> int:
    return time.time_ns() // 1000


class GroupCommit:
    """Makes the requests of one kind durable, several at a time. `start` and `stop` may be called twice."""

    def __init__(
        self,
        kind: Kind,
        lanes: Sequence[Lane],
        intake: Intake,
        *,
        most_points: int = 100_000,
        zone: tzinfo = UTC,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._kind = kind
        self._lanes = lanes
        self._intake = intake
        self._most_points = most_points
        self._zone = zone
        self._now_us = now_us
        self._waiting: list[_Request] = []
        self._bytes = 0
        self._turn = asyncio.Semaphore(_APPENDS)
        self._due = asyncio.Event()
        self._flying: dict[asyncio.Task[None], float] = {}
        """What is on its way, and since when on the clock of the event loop."""
        self._rounds: list[asyncio.Future[None]] = []
        """Who waits for the loop to go round."""
        self._last = 0
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
        self._due.set()
        if self._task is not None:
            await self._task
        await asyncio.gather(*self._flying)

    async def turns(self, within: float) -> bool:
        """Whether its loop goes round, and lands every batch within so many seconds. A loop that hangs never answers."""
        gone_round = asyncio.get_running_loop().create_future()
        self._rounds.append(gone_round)
        self._due.set()
        await gone_round
        now = asyncio.get_running_loop().time()
        return all(now - since <= within for since in self._flying.values())

    async def submit(self, body: bytes, device: str | None = None, spend: _Spend | None = None) -> bytes:
        """The answer to a request with that body, once its good points are durable.

        `device` is the only one that it may be of; `spend` is told how many points came, good or bad.

        Raises Problem where the sender is at fault or too much waits, another PointqError where the points may not be durable:
        the sender must send them again.
        """
        if self._waiting and self._bytes + len(body) > _WAITING_BYTES:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too much waits here already: send it again later", retry_after=1)
        self._bytes += len(body)
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._waiting.append((body, device, spend, answer))
        if self._is_due():
            self._due.set()
        return await answer

    async def append(self, batch: PointBatch, rejected: int = 0) -> None:
        """Make a batch durable that is validated already. Raises PointqError where it may not be."""
        async with self._turn:
            await self._accept(parcels_of(batch, self._lanes), rejected)
        if rejected:
            REJECTED.add(rejected, self._kind.name, RECORD)

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            self._tell_rounds()
            if not self._is_due():
                self._due.clear()
                await self._due.wait()
                continue
            self._launch(self._take())

    def _tell_rounds(self) -> None:
        asking, self._rounds = self._rounds, []
        for gone_round in asking:
            if not gone_round.done():
                gone_round.set_result(None)

    def _is_due(self) -> bool:
        """Whether the next batch should be made: none is on its way, or there is room for one that is no smaller."""
        flying = len(self._flying)
        return bool(self._waiting) and (not flying or (flying < _IN_FLIGHT and len(self._waiting) >= self._last))

    def _take(self) -> list[_Request]:
        size = count = 0
        while count < len(self._waiting) and size < _GROUP_BYTES:
            size += len(self._waiting[count][0])
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._bytes -= size
        return group

    def _launch(self, group: Sequence[_Request]) -> None:
        """Make a batch of a group and send it on its way."""
        self._last = len(group)
        opened = self._open(group)
        if not opened:
            return
        answers = [answer for _, answer in opened]
        try:
            merged = merge(self._kind, [s for s, _ in opened], now_us=self._now_us(), zone=self._zone)
            parcels = parcels_of(merged.batch, self._lanes)
        except Exception as exc:  # noqa: BLE001 - a defect must not end the loop: it fails the requests that met it, and says so
            defects.defect(exc, "a group of %d requests failed", len(group))
            _fail(answers, exc)
            return
        task = asyncio.create_task(self._fly(parcels, merged.rejected, answers, merged.verdicts))
        self._flying[task] = asyncio.get_running_loop().time()
        task.add_done_callback(self._landed)

    def _open(self, group: Sequence[_Request]) -> list[tuple[Submission, _Answer]]:
        """The submissions in the bodies; where there is none, the answer is the problem."""
        opened = []
        for body, device, spend, answer in group:
            try:
                found = submission(self._kind, body, self._most_points, device)
                opened.append((found, answer))
                if spend is not None:
                    spend(len(found.points))
            except Exception as exc:  # noqa: BLE001 - one request's defect is not the group's
                _fail([answer], exc)
        return opened

    async def _accept(self, parcels: Sequence[Parcel], rejected: int) -> Via:
        if not parcels:
            # counted with the next batch: a refusal must not need Redis
            self._uncounted += rejected
            return Via.QUEUE
        carried, self._uncounted = self._uncounted, 0
        via = None
        try:
            via = await self._intake.accept(parcels, rejected + carried)
        finally:
            if via is not Via.QUEUE:
                # no other way counts
                self._uncounted += carried
        return via

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._flying[task]
        self._due.set()

    async def _fly(
        self, parcels: Sequence[Parcel], rejected: int, answers: Sequence[_Answer], verdicts: Sequence[Verdict]
    ) -> None:
        try:
            via = await self._accept(parcels, rejected)
        except PointqError as exc:
            _fail(answers, exc)
        except Exception as exc:  # noqa: BLE001 - told to those who wait
            defects.defect(exc, "%d requests could not be committed", len(answers))
            _fail(answers, exc)
        else:
            if rejected:
                self._count(verdicts)
            _tell(answers, verdicts, via)

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if isinstance(verdict.rejects, Rejects):
                for field, points in verdict.rejects.by_field().items():
                    REJECTED.add(points, self._kind.name, field or SHAPE)


def _tell(answers: Sequence[_Answer], verdicts: Sequence[Verdict], via: Via) -> None:
    for answer, verdict in zip(answers, verdicts, strict=True):
        try:
            body = accepted(verdict, via)
        except Problem as problem:
            _fail([answer], problem)
            continue
        if not answer.done():
            answer.set_result(body)


def _fail(answers: Sequence[_Answer], exc: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(exc)
