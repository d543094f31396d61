"""Room in Redis: an import of a season must not take the memory that live points need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pointq.ops.importing.patience import Patience
from pointq.queue.connection import translated
from pointq.queue.lanes import Lane
from pointq.queue.measure import measure_all

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LOOK_POINTS = 200_000
"""Points after which it looks again, whatever room there was: others enqueue too."""

_SHARE = 0.75
"""Of `maxmemory`: from here on the rest is left to live points."""


class Room:
    """Lets points into the queue while fewer than `most` wait there, in all lanes, and Redis has memory left."""

    def __init__(self, redis: "Redis", url: str, lanes: Sequence[Lane], most: int, patience: Patience) -> None:
        self._redis = redis
        self._url = url
        self._lanes = lanes
        self._patience = patience
        self._left = 0
        self.most = most
        """Points."""

    async def take(self, points: int) -> None:
        """Wait until so many more points may wait; an empty queue takes any number. Raises what `Patience.step` does."""
        while points > self._left:
            waiting = await self._waiting()
            if waiting == 0 or (waiting + points <= self.most and not await self._is_full()):
                self._left = max(min(self.most - waiting, _LOOK_POINTS), points)
                break
            held = f"the queue holds {waiting:,} points".replace(",", " ")
            await self._patience.step(
                f"{held}: waiting for workers", f"{held}, and {self.most} are the most that an import adds to"
            )
        self._left -= points

    async def _waiting(self) -> int:
        measures = await measure_all(self._redis, self._url, self._lanes)
        return sum(each.ready_points + each.pending_points for each in measures)

    async def _is_full(self) -> bool:
        with translated(self._url):
            memory = await self._redis.info("memory")
        most = int(memory.get("maxmemory", 0))
        return most > 0 and int(memory["used_memory"]) > _SHARE * most
