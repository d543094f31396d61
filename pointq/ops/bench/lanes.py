"""Waiting until a lane is empty, and watching it on the way."""

import asyncio
import time
from dataclasses import dataclass, field

from pointq.errors import WaitTimeout
from pointq.ops.bench.rounds import Stage
from pointq.queue.lanes import Lane
from pointq.queue.measure import Measure, measure

_LOOK_SECONDS = 0.005
"""A look costs the server some 50 µs; a drain takes seconds."""
_PATIENCE_SECONDS = 60.0
"""Without any progress."""


@dataclass(slots=True)
class Watch:
    """One lane, from the first delivery to the last completion."""

    stage: Stage
    lane: Lane
    points: int
    """What is to be stored, duplicates included."""
    started: float | None = None
    done: int = 0
    _moved: float = field(default_factory=time.perf_counter)

    async def look(self) -> bool:
        """Look once; whether all is done."""
        now = time.perf_counter()
        state = await measure(self.stage.scratch.redis, self.stage.scratch.redis_url, self.lane)
        done = _done(state)
        if done > self.done or (self.started is None and state.pending_points):
            self.started = self.started or now
            self.done, self._moved = done, now
        if now - self._moved > _PATIENCE_SECONDS:
            raise WaitTimeout(f"{self.points - done} of {self.points} points are not stored, and nothing moves any more")
        return done >= self.points


async def settled(stage: Stage, lane: Lane, points: int) -> None:
    """Wait until so many points of a lane are stored."""
    watch = Watch(stage, lane, points)
    while not await watch.look():
        await pause()


async def done(stage: Stage, lane: Lane) -> int:
    """How many points of a lane are stored so far, duplicates included."""
    return _done(await measure(stage.scratch.redis, stage.scratch.redis_url, lane))


async def pause() -> None:
    """Until the next look."""
    await asyncio.sleep(_LOOK_SECONDS)


def _done(state: Measure) -> int:
    return state.stored_points + state.duplicate_points + state.dead_points
