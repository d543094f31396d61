"""The reading half of a worker: which lot is next.

It takes from the lanes by their share, from what dead workers left, and from what it had to put aside.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from pointq.aio import Backoff
from pointq.errors import RedisError
from pointq.queue.consumer import Consumer, Entry
from pointq.queue.lanes import Lane
from pointq.work.lot import Lot, make_lot
from pointq.work.outage import Outage
from pointq.work.schedule import Schedule

log = logging.getLogger("pointq.work")

_GRACE_SECONDS = 3.0
"""What everybody's heart gets after an outage of Redis to say that it lives and what it works on."""


class Reader:
    """Finds the next lot. It holds every entry from reading to `release`, and `held` says so to the keeper of claims."""

    def __init__(  # noqa: PLR0913 - one knob each
        self,
        consumer: Consumer,
        lanes: Sequence[Lane],
        *,
        points: int = 20_000,
        reclaim_idle: float = 10.0,
        block: float = 1.0,
        drain: bool = False,
        strict: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lanes = tuple(lanes)
        self.draining = drain
        self.drained = False
        """Whether, when draining, it found that nothing is left."""
        self._consumer = consumer
        self._points = points
        self._reclaim_idle = reclaim_idle
        self._block = block
        self._clock = clock
        self._schedule = Schedule(lanes, full=points, strict=strict)
        self.outage = Outage(log, "Redis", Backoff())
        self._held: dict[Lane, set[str]] = {lane: set() for lane in lanes}
        self._parked: list[tuple[float, Lot]] = []
        self._unfinished: list[Lot] = []
        """Those parked lots that could be gone on with at once."""
        self._closed: set[Lane] = set()
        self._behind: dict[Lane, str] = {}
        self._next_reclaim = 0.0
        self.rounds = 0
        """How often it has looked for a lot."""
        self._stop = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    @property
    def held(self) -> Mapping[Lane, set[str]]:
        """The ids of the entries that this worker works on."""
        return self._held

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()

    async def stopped(self) -> None:
        """Wait until it is told to stop."""
        await self._stop.wait()

    def park(self, lot: Lot, seconds: float) -> None:
        """Put a lot aside that cannot be stored now; it is tried again, and its lane is not read until it is stored."""
        self._parked.append((self._clock() + seconds, lot))
        # not only while it lies here: or each time it is tried again, another lot would be read, and put aside with it
        self._closed.add(lot.lane)

    def put_aside(self, lot: Lot, seconds: float) -> None:
        """Put a lot aside that takes long, for the sake of other lanes; it is back sooner where those have nothing."""
        self._unfinished.append(lot)
        self.park(lot, seconds)

    def release(self, lot: Lot) -> None:
        """The entries of a lot are no longer worked on."""
        self._held[lot.lane].difference_update(entry.id for entry in lot.entries)
        if lot.lane not in {parked.lane for _, parked in self._parked}:
            self._closed.discard(lot.lane)

    async def next_lot(self) -> Lot | None:
        """The next lot; None when stopped, or drained."""
        while not self.stopping:
            self.rounds += 1
            try:
                if (due := self._due()) is not None:
                    return due
                lot = await self._reclaim() or await self._poll()
                self.outage.end()
                if lot is not None or (lot := self._due(early=self._unfinished)) is not None:
                    return lot
                self.drained = self.draining and await self._drained()
                if self.drained:
                    return None
                await self._wait()
            except RedisError as exc:
                # behind an outage all that anybody holds looks abandoned
                self._next_reclaim = self._clock() + min(self._reclaim_idle, _GRACE_SECONDS)
                self.outage.begin(exc)
                await self._pause(self.outage.backoff.step())
        return None

    def _due(self, early: Sequence[Lot] = ()) -> Lot | None:
        now = self._clock()
        for i, (at, lot) in enumerate(self._parked):
            if at <= now or any(lot is each for each in early):
                del self._parked[i]
                self._unfinished = [each for each in self._unfinished if each is not lot]
                return lot
        return None

    async def _reclaim(self) -> Lot | None:
        """What others hold and have not touched for long."""
        now = self._clock()
        if now < self._next_reclaim:
            return None
        for lane in self._readable():
            cursor = "0-0"
            while True:
                entries, cursor = await self._consumer.reclaim(lane, self._reclaim_idle, self._points, cursor)
                mine = [entry for entry in entries if entry.id not in self._held[lane]]
                if mine:
                    # more may be left: come back at once
                    return await self._take_over(lane, mine)
                if cursor == "0-0":
                    break
        self._next_reclaim = now + self._reclaim_idle / 3
        return None

    async def _poll(self) -> Lot | None:
        self._behind.clear()
        readable = set(self._readable())
        for lane in self._schedule.order():
            if lane not in readable:
                self._schedule.empty(lane)
                continue
            entries, last = await self._consumer.read(lane, self._points)
            if entries:
                self._schedule.took(lane, sum(entry.points for entry in entries))
                return await self._hold(lane, entries)
            self._schedule.empty(lane)
            self._behind[lane] = last
        return None

    async def _drained(self) -> bool:
        """Whether nothing is left, neither ready nor held by anyone."""
        if any(self._held.values()):
            return False
        return not any([await self._consumer.waiting(lane) for lane in self.lanes])

    async def _wait(self) -> None:
        """Until there may be something to do: a new entry, a parked lot, a stop."""
        seconds = self._block
        if self._parked:
            seconds = min(seconds, max(min(at for at, _ in self._parked) - self._clock(), 0.001))
        if self.draining:
            seconds = min(seconds, 0.1)
        if not self._behind:
            await self._pause(seconds)
            return
        waiting = asyncio.create_task(self._consumer.wait({lane.stream: i for lane, i in self._behind.items()}, seconds))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
        finally:
            waiting.cancel()
            stopping.cancel()
            # an error that the cancellation becomes in the client of Redis is nobody's business any more
            waiting.add_done_callback(_ignore_outcome)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    def _readable(self) -> Iterator[Lane]:
        return (lane for lane in self.lanes if lane not in self._closed)

    async def _take_over(self, lane: Lane, entries: Sequence[Entry]) -> Lot:
        lot = await self._hold(lane, entries)
        names = ", ".join(sorted(lot.former))
        log.warning("reclaimed %d batches of %s points from %s, silent or gone", len(entries), lane.kind.name, names)
        return lot

    async def _hold(self, lane: Lane, entries: Sequence[Entry]) -> Lot:
        self._held[lane].update(entry.id for entry in entries)
        return await make_lot(lane, entries)


def _ignore_outcome(task: asyncio.Task[bool]) -> None:
    if not task.cancelled():
        task.exception()
