"""Rounds of measurements that are compared with each other, and what all suites share."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pointq.ops.bench.options import Backends, Options
from pointq.ops.bench.scratch import Scratch
from pointq.ops.bench.tracks import Tracks

Measure = Callable[[], Awaitable[float]]
"""Makes everything ready, then times one thing alone; returns its rate."""

Tell = Callable[[str], None]
"""Is told what is measured now."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a suite needs."""

    options: Options
    backends: Backends
    scratch: Scratch
    tracks: Tracks
    tell: Tell

    async def rounds(self, what: str, measures: Sequence[Measure]) -> list[tuple[float, ...]]:
        """The rates of all measures, in turn, again and again: what slows the machine for a while slows them all.

        One round to warm up goes before, and is not counted.
        """
        found = []
        for number in range(self.options.pairs + 1):
            self.tell(f"{what}, round {number} of {self.options.pairs}" if number else f"{what}, warming up")
            rates = tuple([await _alone(measure) for measure in measures])
            if number:
                found.append(rates)
        return found

    async def pairs(self, what: str, floor: Measure, candidate: Measure) -> list[tuple[float, float]]:
        """The same for a floor and what is held against it."""
        return [(base, rate) for base, rate in await self.rounds(what, [floor, candidate])]


async def _alone(measure: Measure) -> float:
    # what the last measurement left to be collected is not this one's to pay
    gc.collect()
    return await measure()
