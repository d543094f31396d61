"""Token buckets that all servers share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Taken:
    """What one server took from a bucket, by the bucket's name."""

    name: str
    count: float
    rate: float
    """A second."""
    burst: float


class SharedBuckets:
    """The buckets under one key prefix; their keys end by themselves, when the buckets are full again."""

    def __init__(self, redis: "Redis", url: str, prefix: str = "pointq") -> None:
        self._redis = redis
        self._url = url
        # one tag for all: one script settles many of them, in a cluster too
        self._base = f"{prefix}:{{limits}}:"

    async def settle(self, taken: Sequence[Taken]) -> list[float]:
        """What is left in each, after that was taken off, too; below 0 where it was overdrawn. Raises RedisError."""
        keys = [f"{self._base}{each.name}" for each in taken]
        arguments = [number for each in taken for number in (each.count, each.rate, each.burst)]
        with translated(self._url):
            levels = await script(self._redis, "settle")(keys, arguments)
        return [level / 1000 for level in levels]
