"""Redis or Valkey: the server, its clock, the lanes and who works on them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis.exceptions as redis_errors

from pointq.config import Settings
from pointq.errors import RedisError
from pointq.ops.doctor.sources.clocks import Offset, offset
from pointq.queue.connection import describe, translated
from pointq.queue.durability import Persistence, persistence, setting
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import GROUP, Lane, lanes_of
from pointq.queue.measure import Measure, measure_all

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FURTHER_SHARDS = 16
"""How many shards beyond those configured are looked at: whoever lowers the number goes back to what was before."""


@dataclass(frozen=True, slots=True)
class QueueLink:
    """Whether the server answers."""

    where: str
    trouble: RedisError | None = None


@dataclass(frozen=True, slots=True)
class QueueServer:
    """What the server says of itself, beside what was configured."""

    settings: Settings
    embedded: bool
    persistence: Persistence
    info: Mapping[str, Any]
    """The answer to INFO; managed servers hide some of it."""
    snapshots: str | None
    """The value of `save`; None where the server does not say."""


@dataclass(frozen=True, slots=True)
class QueueClock:
    """Its clock."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class Holder:
    """A consumer of one lane that has batches which it has not finished."""

    lane: Lane
    name: str
    batches: int
    idle_seconds: float


@dataclass(frozen=True, slots=True)
class Lanes:
    """What waits, and who works on it."""

    settings: Settings
    measures: Mapping[Lane, Measure]
    beyond: Mapping[Lane, int]
    """Batches in shards beyond those configured."""
    workers: Sequence[Heartbeat]
    now: float
    """By the server's clock, Unix seconds."""
    holders: Sequence[Holder]


async def link(redis: "Redis", url: str) -> QueueLink:
    """Log in. Raises RedisError."""
    with translated(url):
        await redis.ping()
    return QueueLink(describe(url))


async def server(redis: "Redis", url: str, settings: Settings, *, embedded: bool) -> QueueServer:
    """Ask the server about itself. Raises RedisError."""
    with translated(url):
        info, kept, snapshots = await asyncio.gather(redis.info(), persistence(redis), setting(redis, "save"))
    return QueueServer(settings, embedded, kept, info, snapshots)


async def clock(redis: "Redis", url: str) -> QueueClock:
    """Compare its clock. Raises RedisError."""
    return QueueClock(await offset(Heartbeats(redis, url).now))


async def lanes(redis: "Redis", url: str, settings: Settings) -> Lanes:
    """Look at every lane and every worker; nothing is consumed. Raises RedisError."""
    prefix, shards = settings.queue.prefix, settings.queue.shards
    own = lanes_of(shards=shards, prefix=prefix)
    further = [lane for lane in lanes_of(shards=shards + _FURTHER_SHARDS, prefix=prefix) if lane.shard >= shards]
    beats = Heartbeats(redis, url, prefix)
    with translated(url):
        measured, holders, lengths, workers, now = await asyncio.gather(
            measure_all(redis, url, own),
            _holders(redis, own),
            _lengths(redis, further),
            beats.read(),
            beats.now(),
        )
    beyond = {lane: batches for lane, batches in zip(further, lengths, strict=True) if batches}
    measures = dict(zip(own, measured, strict=True))
    return Lanes(settings, measures, beyond, workers, now, holders)


async def _lengths(redis: "Redis", lanes: Sequence[Lane]) -> list[int]:
    async with redis.pipeline(transaction=False) as asking:
        for lane in lanes:
            asking.xlen(lane.stream)
        return await asking.execute()


async def _holders(redis: "Redis", lanes: Sequence[Lane]) -> list[Holder]:
    async with redis.pipeline(transaction=False) as asking:
        for lane in lanes:
            asking.xinfo_consumers(lane.stream, GROUP)
        answers = await asking.execute(raise_on_error=False)
    return [
        Holder(lane, consumer["name"].decode(), consumer["pending"], consumer["idle"] / 1000)
        for lane, consumers in zip(lanes, answers, strict=True)
        for consumer in _known(consumers)
        if consumer["pending"]
    ]


def _known(consumers: list[dict[str, Any]] | Exception) -> list[dict[str, Any]]:
    """Those of a lane; neither stream nor group is there before the first point. Raises what else the server refused."""
    if isinstance(consumers, redis_errors.ResponseError) and any(word in str(consumers) for word in ("no such key", "NOGROUP")):
        return []
    if isinstance(consumers, Exception):
        raise consumers
    return consumers
