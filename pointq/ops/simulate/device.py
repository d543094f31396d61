"""A pilot's device: it records, and sends what it has whenever it may."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pointq.ops.bodies import flymaster_body, json_body
from pointq.ops.simulate.plan import MOST_POINTS, Pilot
from pointq.ops.simulate.post import Answer, Post
from pointq.ops.simulate.recorder import Recorded, Tape, record
from pointq.ops.simulate.totals import Ranges, Totals
from pointq.ops.soaring import Floats, Task
from pointq.points.kinds import FLYMASTER


@dataclass(frozen=True, slots=True)
class Clock:
    """The competition's time by this machine's clock."""

    started: float
    """The competition's second 0 by `now`."""
    speed: float
    now: Callable[[], float] = time.monotonic

    def when(self, second: float) -> float:
        """How long it is until that second of the competition; negative where it is over."""
        return self.started + second / self.speed - self.now()

    def second(self) -> float:
        """The present second of the competition."""
        return (self.now() - self.started) * self.speed


@dataclass(slots=True)
class Device:
    """What one pilot's device does. `accepted` and `uncertain` number the points as they were recorded."""

    pilot: Pilot
    task: Task
    post: Post
    totals: Totals
    accepted: Ranges = field(default_factory=Ranges)
    """In requests that were taken; those among them that were wrong on purpose were rejected."""
    uncertain: Ranges = field(default_factory=Ranges)
    """In requests of which no answer says what became of them."""
    _tape: Tape = field(init=False)
    _phase: float = field(init=False)
    _outages: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Switch it on."""
        self._tape = Tape(record(self.pilot, self.task))
        self._phase, self._outages = self.pilot.phase(), self.pilot.outages()

    async def run(self, clock: Clock, stop: asyncio.Event) -> None:
        """Send what is due, as often as the device does, until the competition is over or `stop` is set."""
        dice, second = self.pilot.rng(7), self._online(self._phase)
        while not self._tape.ended and not stop.is_set():
            second = min(second, self.pilot.plan.duration)
            if await _wait(stop, clock.when(second)):
                return
            await self._send_due(second, clock, dice, stop)
            second = max(self._online(self._after(second)), self._last_due(clock.second()))

    def unsent(self, until: float) -> int:
        """How many points are recorded up to that second of the competition and not sent; the tape is wound to its end."""
        count = 0
        while (piece := self._tape.take(self._us(until), MOST_POINTS)) is not None:
            count += len(piece)
        return count

    async def _send_due(self, second: float, clock: Clock, dice: np.random.Generator, stop: asyncio.Event) -> None:
        """Everything recorded up to that second, request by request."""
        while not stop.is_set():
            first = self._tape.taken
            piece = self._tape.take(self._us(second), MOST_POINTS)
            if piece is None:
                return
            answer = await self._settle(piece, first)
            if answer.outcome == "given up":
                return
            self.totals.latencies.add([-clock.when(each) for each in self._departures(piece)])
            if answer.outcome == "accepted" and dice.random() < self.pilot.plan.duplicates:
                self.totals.duplicates_sent += len(piece)
                await self._send(piece)

    async def _settle(self, piece: Recorded, first: int) -> Answer:
        """Send points and put down what became of them, also where that is cut short."""
        answer = Answer("given up")
        try:
            answer = await self._send(piece)
        finally:
            self._account(answer, piece, first)
        return answer

    async def _send(self, piece: Recorded) -> Answer:
        if self.pilot.kind is FLYMASTER:
            body, content_type = flymaster_body(piece.batch, self.pilot.plan.secret, piece.changes()), "text/plain"
        else:
            body, content_type = json_body(piece.batch, piece.changes()), "application/json"
        return await self.post.send(self.pilot.kind.endpoint, body, content_type, len(piece))

    def _account(self, answer: Answer, piece: Recorded, first: int) -> None:
        count, wrong = len(piece), int(np.count_nonzero(piece.wrong))
        totals = self.totals
        if answer.outcome == "given up":
            self.uncertain.add(first, first + count)
            totals.given_up += count
            return
        totals.sent += count
        # an instrument is not told how many of its rows are no fixes, and refused if all are
        untold = self.pilot.kind is FLYMASTER and (answer.outcome == "accepted" or wrong == count)
        rejected = wrong if untold else answer.rejected
        totals.rejected += rejected
        totals.rejected_as_meant += min(rejected, wrong)
        if answer.outcome == "accepted":
            totals.accepted += count - rejected
            (self.accepted if rejected == wrong else self.uncertain).add(first, first + count)
        else:
            totals.refused += count - rejected

    def _departures(self, piece: Recorded) -> list[float]:
        """The seconds at which these points should have left: one for each request that should have been made."""
        seconds = (piece.batch.time - self.pilot.plan.start_us) / 1e6
        every = self.pilot.every
        ticks = np.unique(self._phase + np.maximum(np.ceil((seconds - self._phase) / every), 0) * every)
        return sorted({min(self._online(tick), self.pilot.plan.duration) for tick in ticks.tolist()})

    def _after(self, second: float) -> float:
        """The first time to send behind that second."""
        every = self.pilot.every
        return self._phase + (math.floor((second - self._phase) / every + 1e-9) + 1) * every

    def _last_due(self, second: float) -> float:
        """The last time to send up to that second and before the outage that it is in.

        What is late leaves in an outage too, as the request did that it waited for. It would have left before it, and whatever
        made it late must not be charged for the device's network.
        """
        begin, _ = self._outage(second)
        return self._after(min(second, begin) - self.pilot.every)

    def _online(self, second: float) -> float:
        """That second, or the end of the outage that it is in."""
        begin, end = self._outage(second)
        return end if begin <= second else second

    def _outage(self, second: float) -> tuple[float, float]:
        """From and to of the outage that the second is in; both infinite where it is in none."""
        place = int(np.searchsorted(self._outages[:, 0], second, side="right")) - 1
        if place >= 0 and second < self._outages[place, 1]:
            begin, end = self._outages[place].tolist()
            return begin, end
        return math.inf, math.inf

    def _us(self, second: float) -> int:
        return self.pilot.plan.start_us + int(second * 1e6)


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    """Wait that long; true at once when it is to stop."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return stop.is_set()
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
