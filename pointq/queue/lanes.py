"""Lanes: the Redis keys of one kind and shard."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pointq.points.kinds import KINDS, Kind

GROUP = "pointq"
"""Name of the one consumer group."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One stream of batches of one kind, with all that belongs to it.

    The braces in the keys are a hash tag: every key of a lane is in one slot of a Redis Cluster, so that a script may
    touch them together.
    """

    kind: Kind
    shard: int
    stream: str = field(repr=False)
    counters: str = field(repr=False)
    rates: str = field(repr=False)
    dead: str = field(repr=False)
    retained: str = field(repr=False)
    """Stored batches that are kept for a while, where that is asked for."""

    @classmethod
    def of(cls, kind: Kind, shard: int = 0, prefix: str = "pointq") -> "Lane":
        """The lane of that kind and shard under a key prefix."""
        base = f"{prefix}:{{{kind.name}.{shard}}}"
        keys = (f"{base}:{name}" for name in ("stream", "counters", "rates", "dead", "retained"))
        return cls(kind, shard, *keys)

    @property
    def priority(self) -> int:
        """The priority of the lane's kind, 1 the highest."""
        return self.kind.priority


def lanes_of(kinds: Iterable[Kind] = KINDS.values(), *, shards: int = 1, prefix: str = "pointq") -> tuple[Lane, ...]:
    """All lanes of those kinds, the highest priority first."""
    ordered = sorted(kinds, key=lambda kind: kind.priority)
    return tuple(Lane.of(kind, shard, prefix) for kind in ordered for shard in range(shards))
