"""Append batches to lanes, durably."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import redis.exceptions as redis_errors

from pointq.errors import RedisError
from pointq.queue.connection import translated
from pointq.queue.durability import Acknowledgement, acknowledgement, persistence
from pointq.queue.scripts import script, sha, source

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

log = logging.getLogger("pointq.queue")

_WAIT_MS = 1_500
"""How long one WAITAOF may take; under the client's timeout of 2 s, so that the answer says what is missing."""


_MOST_ASKED = 200
"""Entries that one script looks for: it reads each frame, and the server stands still meanwhile."""


@dataclass(frozen=True, slots=True)
class Append:
    """One frame for one lane."""

    lane: "Lane"
    frame: bytes
    points: int
    rejected: int = 0
    """Points of the same requests that were refused; only counted."""


class Producer:
    """Appends frames; what it returned from is durable as the acknowledgement says."""

    def __init__(self, redis: "Redis", url: str, acknowledgement: Acknowledgement) -> None:
        # WAITAOF waits for what its own connection wrote, so append and wait must share one
        self._redis = redis
        self._url = url
        self._acknowledgement = acknowledgement

    async def enqueue(self, appends: Sequence[Append]) -> list[str]:
        """Append the frames in one round trip; when it returns, all are durable. Gives the id of each entry.

        Raises RedisError where any of them may not be; they may be stored nonetheless, and sending them again is harmless.
        """
        with translated(self._url):
            try:
                replies = await self._send(appends)
            except redis_errors.NoScriptError:
                # a new or restarted server
                await self._redis.script_load(source("enqueue"))
                replies = await self._send(appends)
        if self._acknowledgement.waits:
            self._check(replies.pop())
        return [reply.decode() for reply in replies]

    async def remaining(self, lane: "Lane", ids: Sequence[str]) -> int:
        """How many of those entries are not stored yet."""
        remaining = script(self._redis, "remaining")
        parts = (ids[start : start + _MOST_ASKED] for start in range(0, len(ids), _MOST_ASKED))
        with translated(self._url):
            return sum([int(await remaining([lane.stream], part)) for part in parts])

    async def _send(self, appends: Sequence[Append]) -> list[Any]:
        # EVALSHA by hand: the client's own scripts ask SCRIPT EXISTS before every pipeline, a second round trip
        async with self._redis.pipeline(transaction=False) as pipe:
            for append in appends:
                lane = append.lane
                pipe.evalsha(
                    sha("enqueue"), 3, lane.stream, lane.counters, lane.rates, append.frame, append.points, append.rejected
                )
            if self._acknowledgement.waits:
                wanted = self._acknowledgement
                pipe.execute_command("WAITAOF", wanted.local, wanted.replicas, _WAIT_MS)
            replies: list[Any] = await pipe.execute()
        return replies

    def _check(self, reached: Sequence[int]) -> None:
        wanted = self._acknowledgement
        local, replicas = reached
        if local < wanted.local or replicas < wanted.replicas:
            raise RedisError(
                f"the batch is not durable: {local} of {wanted.local} local and {replicas} of {wanted.replicas} replicas have "
                f"it on disk after {_WAIT_MS} ms",
                hint="check the server's disk and its replicas",
            )


async def open_producer(redis: "Redis", url: str, durability: Literal["fsync", "memory"], min_replicas: int = 0) -> Producer:
    """A producer whose word is worth what `durability` says on that server.

    Raises RedisError where the server cannot be reached or can give no such promise.
    """
    with translated(url):
        server = await persistence(redis)
    if durability == "memory":
        log.warning("durability is memory: a crash of %s may lose points that were accepted", server.engine)
    return Producer(redis, url, acknowledgement(server, durability, min_replicas))
