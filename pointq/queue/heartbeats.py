"""The list of workers: each writes its own line, `status` reads them all."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from pointq.points.kinds import KINDS
from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

FORGOTTEN_SECONDS = 3600.0
"""A worker that said nothing for so long is dropped from the list."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker says of itself, once a second."""

    id: str
    host: str
    pid: int
    priorities: tuple[int, ...]
    kinds: tuple[str, ...]
    """The kinds of points that it takes: not all of a priority, as it may be."""
    points_per_second: float
    stored_points: int
    state: str
    """``running``, ``paused`` (the database is away), ``draining`` or ``stopping``."""
    at: float
    """Unix seconds, by the clock of Redis."""
    session: tuple[int, int] | None = None
    """Of its session in the database: process id, and start in microseconds since 1970. None where there is none."""
    trouble: str | None = None
    """What it waits for, where it is paused."""


def _key(prefix: str) -> str:
    return f"{prefix}:{{workers}}:heartbeats"


class Heartbeats:
    """The list, under one key prefix."""

    def __init__(self, redis: "Redis", url: str, prefix: str = "pointq") -> None:
        self._redis = redis
        self._url = url
        self._key = _key(prefix)

    async def now(self) -> float:
        """The server's clock, Unix seconds: workers on many machines must not be compared by their own."""
        with translated(self._url):
            seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Write or replace a worker's line."""
        with translated(self._url):
            await script(self._redis, "beat")([self._key], [heartbeat.id, orjson.dumps(asdict(heartbeat))])

    async def remove(self, worker_id: str) -> None:
        """A worker ends."""
        with translated(self._url):
            await self._redis.hdel(self._key, worker_id)

    async def read(self) -> list[Heartbeat]:
        """All lines, those of forgotten workers dropped from the list."""
        with translated(self._url):
            raw = await self._redis.hgetall(self._key)
        beats = [_parse(value) for value in raw.values()]
        now = await self.now()
        for beat in beats:
            if now - beat.at > FORGOTTEN_SECONDS:
                await self.remove(beat.id)
        return sorted((b for b in beats if now - b.at <= FORGOTTEN_SECONDS), key=lambda beat: beat.id)


def _parse(raw: bytes | str) -> Heartbeat:
    fields = orjson.loads(raw)
    fields["priorities"] = tuple(fields["priorities"])
    fields["kinds"] = tuple(fields["kinds"]) if "kinds" in fields else _kinds_of(fields["priorities"])
    fields["session"] = _session(fields.get("session"))
    # a newer version's worker may say more, an older one's less
    return Heartbeat(**{name: fields[name] for name in Heartbeat.__dataclass_fields__ if name in fields})


def _kinds_of(priorities: Collection[int]) -> tuple[str, ...]:
    """What a worker takes that does not say so, being of an older version: all that it may."""
    return tuple(kind.name for kind in KINDS.values() if kind.priority in priorities)


def _session(value: object) -> tuple[int, int] | None:
    """What an older version's worker does not say, and another's may say otherwise."""
    match value:
        case [int(pid), int(started)]:
            return pid, started
        case _:
            return None
