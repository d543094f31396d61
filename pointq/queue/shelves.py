"""What lies beside the lanes, dead letters and stored batches that are kept for a while, and how it gets back into them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

Shelf = Literal["dead", "retained"]

_PAGE = (200, 4 * 1024 * 1024, 0)
"""Entries and bytes at most, and no frames; a page ends behind the entry that passes it."""


@dataclass(frozen=True, slots=True)
class Lying:
    """One batch on a shelf, without its frame."""

    id: str
    points: int
    fields: Mapping[str, str] = field(repr=False)
    """Of a dead letter: ``id`` of its entry, ``sqlstate``, ``message`` and so on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How far back what is kept of a lane reaches. Unix milliseconds."""

    whole_from: int | None
    """Everything that was stored since then is there; None where nothing was ever kept."""
    completed_at: int | None
    """When something was last stored."""


class Shelves:
    """Walks over shelves and puts back what lies there. Every call raises RedisError."""

    def __init__(self, redis: "Redis", url: str) -> None:
        self._redis = redis
        self._url = url

    async def last(self, lane: "Lane", shelf: Shelf) -> str:
        """The id of the newest batch there, ``0-0`` where there is none."""
        with translated(self._url):
            newest: Any = await self._redis.xrevrange(_key(lane, shelf), count=1)
        return newest[0][0].decode() if newest else "0-0"

    async def walk(self, lane: "Lane", shelf: Shelf, first: str, last: str) -> AsyncIterator[Sequence[Lying]]:
        """What lies there from one id to another, page by page; nothing is taken."""
        while True:
            with translated(self._url):
                _, _, _, page = await script(self._redis, "look")([_key(lane, shelf)], ["", first, last, *_PAGE])
            if not page:
                return
            yield [_lying(raw) for raw in page]
            first = f"({page[-1][0].decode()}"

    async def put_back(self, lane: "Lane", shelf: Shelf, ids: Sequence[str]) -> list[str]:
        """Put those back into their lane, all in one atomic step; the ids of the new entries, empty for what is gone."""
        keys = [_key(lane, shelf), lane.stream, lane.counters, lane.rates]
        with translated(self._url):
            return [raw.decode() for raw in await script(self._redis, "replay")(keys, [shelf, *ids])]

    async def waiting(self, lane: "Lane") -> int:
        """Points of that lane that are not stored yet."""
        ready, pending = await self._counters(lane, "ready_points", "pending_points")
        return (ready or 0) + (pending or 0)

    async def kept(self, lane: "Lane") -> Kept:
        """How far back what is kept of that lane reaches."""
        whole_from, completed_at, lost_at = await self._counters(lane, "retained_from", "completed_at", "lost_at")
        if whole_from is not None and lost_at is not None:
            # the server came back without its data then
            whole_from = max(whole_from, lost_at * 1000)
        return Kept(whole_from, None if completed_at is None else completed_at * 1000)

    async def now(self) -> int:
        """The server's clock, Unix milliseconds: by it is told when something was stored."""
        with translated(self._url):
            seconds, microseconds = await self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def _counters(self, lane: "Lane", *names: str) -> list[int | None]:
        with translated(self._url):
            values: list[Any] = await self._redis.hmget(lane.counters, list(names))
        return [None if value is None else int(value) for value in values]


def _key(lane: "Lane", shelf: Shelf) -> str:
    return lane.dead if shelf == "dead" else lane.retained


def _lying(raw: Any) -> Lying:  # noqa: ANN401 - Redis replies are untyped
    entry_id, flat, *_ = raw
    texts = [each.decode("utf8", "replace") for each in flat]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    points = fields.get("n", "")
    return Lying(entry_id.decode(), int(points) if points.isdigit() else 0, fields)
