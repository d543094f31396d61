"""How much waits in the queue, and how full the memory of Redis is: looked at once a second, never while a request waits.

Over a first mark bulk points (upload, Flymaster, import, scoring) are told to come later, over a second one live points, too. A
Redis that is away, or full to the last byte, refuses by itself: then points go the other ways, and nothing is refused here.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from pointq.aio import Rounds
from pointq.errors import RedisError, RedisLoginError
from pointq.ingest.limits.plan import Marks
from pointq.ingest.limits.tally import Tally
from pointq.ingest.problems import Problem
from pointq.queue.connection import translated

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger("pointq.ingest")

_SECONDS = 1.0
_RETRY_AFTER = 10
_BACK = 0.95
"""Of a mark, under which points are taken again: at the mark itself it would go to and fro."""
_FULL = 100.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is at one moment."""

    points: int
    """That wait."""
    memory_percent: float | None
    """None where Redis has no limit, or does not tell."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why points are refused; None: they are not."""

    bulk: str | None = None
    live: str | None = None


def judged(load: Load, points: Marks, memory: Marks, before: Refused) -> Refused:
    """What is refused now, after that was refused before."""

    def why(kind: str) -> str | None:
        share = _BACK if getattr(before, kind) else 1.0
        most_points, most_percent = getattr(points, kind), getattr(memory, kind)
        if most_points is not None and load.points > most_points * share:
            return f"more than {most_points:,.0f} points wait already"
        if most_percent is None or load.memory_percent is None:
            return None
        is_over = most_percent * share < load.memory_percent < _FULL
        return f"the memory of Redis is more than {most_percent:g} % full" if is_over else None

    return Refused(why("bulk"), why("live"))


class Pressure:
    """Looks from `start` to `stop`; both may be called twice."""

    def __init__(
        self, redis: "Redis", url: str, waiting: Callable[[], int], points: Marks, memory: Marks, tally: Tally
    ) -> None:
        self._redis = redis
        self._url = url
        self._waiting = waiting
        self._points = points
        self._memory = memory
        self._tally = tally
        self._refused = Refused()
        self._rounds = Rounds("pressure", self._once)

    def start(self) -> None:
        """Begin to look."""
        self._rounds.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._rounds.stop()

    def check_bulk(self) -> None:
        """Raises Problem (429) where bulk points are refused now."""
        if self._refused.bulk is not None:
            raise self._problem("bulk points", self._refused.bulk)

    def check_live(self) -> None:
        """Raises Problem (429) where live points are refused now."""
        if self._refused.live is not None:
            raise self._problem("live points", self._refused.live)

    async def _once(self) -> float:
        try:
            load = Load(self._waiting(), await self._percent())
        except RedisError as exc:
            log.debug("how full Redis is is not known: %s", exc)
            self._become(Refused())
        else:
            self._become(judged(load, self._points, self._memory, self._refused))
        return _SECONDS

    async def _percent(self) -> float | None:
        if self._memory == Marks():
            return None
        try:
            with translated(self._url):
                memory = await self._redis.info("memory")
        except RedisLoginError:
            # a right that is missing: how much waits is known all the same
            return None
        used, most = memory.get("used_memory"), memory.get("maxmemory")
        # managed servers hide some of these
        return 100.0 * used / most if isinstance(used, int) and isinstance(most, int) and most else None

    def _become(self, refused: Refused) -> None:
        before, self._refused = self._refused, refused
        for what, was, now in (("bulk", before.bulk, refused.bulk), ("live", before.live, refused.live)):
            if now and not was:
                log.warning("%s points are refused until workers have stored some: %s", what, now)
            elif was and not now:
                log.warning("%s points are taken again", what)

    def _problem(self, what: str, why: str) -> Problem:
        self._tally.met("max_queue_points" if "wait" in why else "max_redis_memory_percent", what)
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS, f"{what} are not taken now: {why}; send them again later", retry_after=_RETRY_AFTER
        )
