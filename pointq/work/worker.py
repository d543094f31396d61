"""The worker: read a lot, store it, commit, delete its entries.

Meanwhile the next lot is read and made ready, and the entries of the last one are deleted: the database waits for neither.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psycopg

from pointq.aio import Backoff, cancel, first_of
from pointq.errors import DatabaseError, RedisError, TableError
from pointq.metrics.counted import DEAD, DUPLICATE, STORED
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.lanes import Lane
from pointq.store.faults import Fault, fault, one_line
from pointq.store.sessions import Session
from pointq.store.writer import Writer
from pointq.work.evictor import Evictor
from pointq.work.lot import Lot
from pointq.work.outage import Outage
from pointq.work.progress import Tally
from pointq.work.rate import Rate
from pointq.work.reader import Reader
from pointq.work.storing import SLICE_SECONDS, store

log = logging.getLogger("pointq.work")

_STOP_SECONDS = 8.0
"""What a stop waits for a database that says nothing; Docker kills after 10 s."""


_MEANWHILE = "accepted points wait in the queue"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a worker did so far."""

    stored: int
    duplicates: int
    dead: int
    points_per_second: float
    state: str
    trouble: str | None
    """What it waits for, where it is paused."""


class Worker:
    """Stores what its lanes hold, until it is stopped or, when draining, until they are empty."""

    def __init__(self, consumer: Consumer, reader: Reader, writer: Writer, evictor: Evictor) -> None:
        self._consumer = consumer
        self._reader = reader
        self._writer = writer
        self._evictor = evictor
        self._storing: Lot | None = None
        self._completing: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._next: asyncio.Queue[Lot | None] = asyncio.Queue(maxsize=1)
        self._database = Outage(log, "the database", Backoff(), meanwhile=_MEANWHILE)
        # both halves notice when Redis goes, and one of them says so
        self._redis = reader.outage
        self._lane_outages: dict[Lane, Outage] = {}
        self._tally = Tally()
        self._dead = 0
        self._rate = Rate()
        self._tries = 0
        self._seen = (0, 0)

    @property
    def lanes(self) -> Sequence[Lane]:
        """The lanes it reads."""
        return self._reader.lanes

    @property
    def session(self) -> Session | None:
        """Its session in the database, where it has one."""
        return self._writer.session

    def introduce(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Call `tell` for each new session, and store nothing over that before it returns."""
        self._writer.introduce(tell)

    @property
    def storing(self) -> Lot | None:
        """The lot that it is storing now."""
        return self._storing

    @property
    def misses_redis(self) -> bool:
        """Whether Redis is away."""
        return self._redis.active

    @property
    def misses_database(self) -> bool:
        """Whether the database is away."""
        return self._database.active

    @property
    def waits(self) -> bool:
        """Whether something is away that it waits for, which the log says."""
        return self._state() == "paused"

    def moves(self) -> bool:
        """Whether it went on since the last call: it looked for a lot, or tried to complete one, or waits for the database.

        A database that is away, hangs or holds a lock is waited for as long as it takes: to start again would not help.
        """
        before, self._seen = self._seen, (self._reader.rounds, self._tries)
        return self._storing is not None or self._seen != before

    def figures(self) -> Figures:
        """What it did so far and what it does now."""
        return Figures(
            self._tally.stored,
            self._tally.duplicates,
            self._dead,
            self._rate.per_second(time.monotonic()),
            self._state(),
            self._trouble(),
        )

    def stop(self) -> None:
        """Read no more; `run` returns when what was read is stored, or soon where a server hangs. May be called twice."""
        if not self._reader.stopping:
            self._reader.stop()
            asyncio.get_running_loop().call_later(_STOP_SECONDS, self.abort)

    def abort(self) -> None:
        """Wait for the database no longer: what is not committed by now stays in the queue."""
        self._writer.abort()

    def give_up(self) -> None:
        """Store nothing more: `run` returns as soon as it can. What is not completed by now stays in the queue."""
        self._reader.stop()
        self._ended.set()
        self.abort()

    async def run(self) -> None:
        """Work until stopped or drained."""
        reading = asyncio.create_task(self._read(), name="read")
        try:
            while not self._ended.is_set() and (lot := await self._next.get()) is not None:
                await self._account(lot)
            if not self._ended.is_set():
                await self._completed()
                await reading
        finally:
            # told, and cancelled besides: the client of Redis may swallow a cancellation
            self._reader.stop()
            self._ended.set()
            await cancel(*filter(None, (reading, self._completing)))
            await self._writer.close()

    async def _read(self) -> None:
        try:
            while not self._ended.is_set():
                lot = await self._reader.next_lot()
                await self._hand_over(lot)
                if lot is None:
                    return
        except Exception:
            # the storing side waits for a lot: let it end, and `run` raise what happened here
            await self._hand_over(None)
            raise

    async def _hand_over(self, lot: Lot | None) -> None:
        await first_of(self._next.put(lot), self._ended.wait())

    async def _account(self, lot: Lot) -> None:
        """Store a lot, and have its entries completed; or park it, or leave it for another worker when stopping."""
        tally = await self._store(lot)
        # one at a time: what is committed and not completed yet would be stored again after a crash
        await self._completed()
        if tally is None:
            return
        self._tally.stored += tally.stored
        STORED.add(tally.stored, lot.lane.kind.name)
        self._rate.add(time.monotonic(), tally.stored + tally.duplicates)
        if not self._ended.is_set():
            self._completing = asyncio.create_task(self._settle(lot, tally), name="complete")

    async def _completed(self) -> None:
        """Wait until the entries of the last lot that was stored are completed."""
        if self._completing is not None:
            await self._completing

    async def _settle(self, lot: Lot, tally: Tally) -> None:
        """Complete the entries of a lot that is stored."""
        try:
            dead = [*lot.unreadable, *await lot.dead_letters(tally.refused)]
            counted = await self._complete(lot, Outcome(lot.entries, tally.stored, tally.duplicates, dead))
        except Exception:
            # the storing side may wait for a lot: let the reading end, and `run` raise what happened here
            self._reader.stop()
            raise
        if not counted:
            return
        _tell(lot.lane, dead)
        self._tally.duplicates += tally.duplicates
        DUPLICATE.add(tally.duplicates, lot.lane.kind.name)
        for letter in dead:
            self._dead += letter.points
            DEAD.add(letter.points, lot.lane.kind.name, letter.sqlstate)

    async def _store(self, lot: Lot) -> Tally | None:
        self._storing = lot
        try:
            return await self._insist(lot)
        finally:
            self._storing = None

    async def _insist(self, lot: Lot) -> Tally | None:
        while not (self._reader.stopping and self._database.active):
            try:
                if lot.former:
                    await self._evictor.evict(self._writer, lot.former)
                done = await store(self._writer.write, lot, Backoff())
            except (psycopg.Error, DatabaseError) as exc:
                if _connection_lost(exc):
                    await self._wait_for(self._database, exc)
                    continue
                # a new session for the next try: what this one was told when it began may be what is wrong
                await self._writer.close()
                if self._reader.stopping:
                    break
                # the connection works, this lane's table does not: the other lanes go on
                outage = self._outage_of(lot.lane)
                outage.begin(_why(exc))
                self._reader.park(lot, outage.backoff.step())
                return None
            self._database.end()
            self._outage_of(lot.lane).end()
            if done:
                return lot.progress.tally if lot.progress else Tally()
            if self._reader.stopping:
                break
            # as long for the other lanes as for this lot, or less where they have nothing
            self._reader.put_aside(lot, SLICE_SECONDS)
            return None
        log.warning("%d %s points stay in the queue", sum(entry.points for entry in lot.entries), lot.lane.kind.name)
        self._reader.release(lot)
        return None

    async def _complete(self, lot: Lot, outcome: Outcome) -> bool:
        """Complete its entries; False where another worker did so meanwhile, who counted them and wrote their dead letters."""
        unsure = False
        while True:
            self._tries += 1
            try:
                removed = await self._consumer.complete(lot.lane, outcome)
            except RedisError as exc:
                if self._reader.stopping:
                    log.warning("stored points stay in the queue and will be seen as duplicates: %s", exc)
                    return True
                # it may have been done, and only the answer be lost
                unsure = True
                await self._wait_for(self._redis, exc)
                continue
            self._redis.end()
            self._reader.release(lot)
            if not removed:
                await self._explain(lot, outcome, unsure=unsure)
            return bool(removed) or unsure

    async def _explain(self, lot: Lot, outcome: Outcome, *, unsure: bool) -> None:
        """Its entries were gone: Redis lost them, another worker completed them, or, where unsure, this one did."""
        try:
            late = await self._consumer.late(lot.lane, outcome)
        except RedisError as exc:
            log.debug("whether Redis lost its data is not known: %s", exc)
            late = 0
        if late:
            log.warning("%d %s points are stored that Redis lost while a worker held them", late, lot.lane.kind.name)
            return
        if unsure:
            return
        points = sum(entry.points for entry in lot.entries)
        log.warning("%d %s points were completed by another worker meanwhile", points, lot.lane.kind.name)

    async def _wait_for(self, outage: Outage, exc: Exception) -> None:
        outage.begin(_why(exc))
        await first_of(asyncio.sleep(outage.backoff.step()), self._reader.stopped())

    def _outage_of(self, lane: Lane) -> Outage:
        if lane not in self._lane_outages:
            self._lane_outages[lane] = Outage(log, f"the table of {lane.kind.name} points", Backoff(), meanwhile=_MEANWHILE)
        return self._lane_outages[lane]

    def _trouble(self) -> str | None:
        outages = (self._database, self._redis, *self._lane_outages.values())
        return next((outage.trouble for outage in outages if outage.active), None)

    def _state(self) -> str:
        if self._reader.stopping:
            return "stopping"
        if self._trouble() is not None:
            return "paused"
        return "draining" if self._reader.draining else "running"


def _tell(lane: Lane, dead: Sequence[DeadLetter]) -> None:
    """One line a reason: a whole lot may be refused, point by point."""
    reasons: dict[str, list[DeadLetter]] = {}
    for letter in dead:
        reasons.setdefault(letter.sqlstate, []).append(letter)
    for sqlstate, letters in reasons.items():
        points = sum(letter.points for letter in letters)
        extra = {"entry": letters[0].source.id, "sqlstate": sqlstate}
        log.error("%d %s points are dead letters: %s", points, lane.kind.name, letters[0].message, extra=extra)


def _connection_lost(exc: psycopg.Error | DatabaseError) -> bool:
    # an error with an SQLSTATE of other classes came over a connection that works; 08, 57P and none mean that it is gone
    if isinstance(exc, TableError):
        return False
    if isinstance(exc, DatabaseError) or exc.sqlstate is None:
        return True
    # a limit that a single point still exceeds is of class 53 too
    return fault(exc) is Fault.INSTALLATION and (exc.sqlstate[:2] in {"08", "53"} or exc.sqlstate[:3] == "57P")


def _why(exc: Exception) -> str:
    return one_line(exc) if isinstance(exc, psycopg.Error) else str(exc)
