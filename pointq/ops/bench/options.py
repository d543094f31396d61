"""What a benchmark is asked to do, and with which servers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pointq.ops.bench.figures import ENOUGH_PAIRS


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose."""

    points: int = 1_000_000
    """Points of the backlog that is drained; suites that need fewer say so."""
    batch: int = 20_000
    """Points of one transaction."""
    duration: float = 1.5
    """Seconds of one round of requests."""
    connections: int = 64
    """Of the load generator, for one-point posts."""
    rate: float | None = None
    """Requests a second of the open loop; None: half of what the closed loop reached."""
    pairs: int = ENOUGH_PAIRS
    seed: int = 1
    samples: Path | None = None
    """A folder of IGC files; None: made tracks."""

    @property
    def some_points(self) -> int:
        """A fifth of the points, for what is repeated often."""
        return max(self.points // 5, 1_000)

    @property
    def many_files(self) -> int:
        """Files of which none may stay in memory: ten thousand, and fewer only in a small run."""
        return max(min(10_000, self.points // 20), 100)


@dataclass(frozen=True, slots=True)
class Backends:
    """The servers that are measured, and what a 202 means there."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    durability: Literal["fsync", "memory"] = "fsync"
    min_replicas: int = 0
