"""What a process heard last of each lane's totals, so that a Redis that comes back without its data is noticed and told.

Every append and every completion is answered with the totals as they are then, and `look` asks once in a while. A lane whose
data set has another name than before, or none, was lost: its totals are counted again, and what waited there is counted as
lost.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

log = logging.getLogger("pointq.queue")


@dataclass(frozen=True, slots=True)
class Heard:
    """A lane's totals at one moment, in points, in the order in which the scripts give and take them."""

    born: int
    """The name of the data set: when it began, Unix microseconds by the server's clock. 0: there is none."""
    accepted: int
    stored: int
    duplicate: int
    dead: int
    rejected: int
    ready: int
    pending: int
    lost: int
    purged: int
    returned: int
    """Of dead letters that were put back, as often as they were."""
    taken: int
    """The newest lost data set whose totals are among these; 0: none."""

    @classmethod
    def of(cls, reply: Iterable[bytes | None]) -> "Heard":
        """What a script answered."""
        return cls(*(int(value or 0) for value in reply))

    @property
    def moment(self) -> tuple[int, int]:
        """Which of two is the later, as `restore` reckons too: answers may come out of order."""
        return self.born, self.accepted + self.stored + self.duplicate + self.dead + self.returned + 2 * self.purged


class Ledger:
    """One process's memory of the lanes that it has to do with."""

    def __init__(self, redis: "Redis", url: str) -> None:
        self._redis = redis
        self._url = url
        self._heard: dict[Lane, Heard] = {}
        self._owed: list[tuple[Lane, Heard]] = []
        self._noticed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Points that wait in those lanes, by what was heard last."""
        return sum(max(heard.ready, 0) + max(heard.pending, 0) for heard in self._heard.values())

    def hear(self, lane: "Lane", heard: Heard) -> None:
        """Remember what the server said of a lane just now."""
        before = self._heard.get(lane)
        if before is not None and before.born and before.born != heard.born and not 0 < heard.born < before.born:
            self._owed.append((lane, before))
            self._noticed.set()
            self._heard[lane] = heard
        elif before is None or heard.moment >= before.moment:
            self._heard[lane] = heard

    async def noticed(self) -> None:
        """Wait until it is noticed that something was lost: `look` should follow at once."""
        await self._noticed.wait()

    async def look(self, lanes: Collection["Lane"]) -> None:
        """Ask for the totals of those lanes, and give back what the server lost. Raises RedisError."""
        self._noticed.clear()
        with translated(self._url):
            for lane in lanes:
                self.hear(lane, Heard.of(await script(self._redis, "heard")([lane.counters])))
        await self._give_back()

    async def _give_back(self) -> None:
        """What fails is done by the next call."""
        first, lost = False, 0
        while self._owed:
            owed = lane, heard = self._owed[0]
            is_first, points = await self._run("restore", lane, astuple(heard))
            first, lost = first or bool(is_first), lost + points
            if owed in self._owed:
                # the heart and the worker may be at it at the same time
                self._owed.remove(owed)
        if lost > 0:
            log.error(
                "Redis came back without its data: up to %d accepted points that waited there are lost, see `pointq status`; "
                "points go on as before; see that its append-only file is kept, and on which disk",
                lost,
            )
        elif first:
            # one that heard later than this process may know of some
            log.warning("Redis came back without its data; as far as is known here, no accepted point waited there")

    async def late(self, lane: "Lane", made_at: int, stored: int, duplicates: int) -> int:
        """Points that waited in a lost data set are stored all the same; how many, 0 where none was lost.

        `made_at` says when the last of their entries was made, Unix milliseconds.
        """
        await self.look(tuple(self._heard))
        return int(await self._run("late", lane, (made_at, stored, duplicates)))

    async def _run(self, name: str, lane: "Lane", arguments: Sequence[int]) -> Any:  # noqa: ANN401 - Redis replies are untyped
        with translated(self._url):
            return await script(self._redis, name)([lane.counters], arguments)
