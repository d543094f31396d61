"""Append batches to lanes, durably."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import redis.exceptions as redis_errors
from hiredis import pack_command

from pointq.errors import RedisError
from pointq.queue.connection import translated
from pointq.queue.durability import Acknowledgement, acknowledgement, persistence
from pointq.queue.ledger import Heard, Ledger
from pointq.queue.scripts import script, sha, source

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

    from pointq.queue.lanes import Lane

log = logging.getLogger("pointq.queue")

_WAIT_MS = 1_500
"""How long one WAITAOF may take; under the client's timeout of 2 s, so that the answer says what is missing."""


_MOST_ASKED = 200
"""Entries that one script looks for: it reads each frame, and the server stands still meanwhile."""


@dataclass(frozen=True, slots=True)
class History:
    """What happened to points before they came back into their lane."""

    first_seen: str
    """When they were accepted, Unix seconds."""
    count: int
    """How often the database refused them."""
    failures: bytes
    """The refusals, the last one last: a JSON array of {at (Unix seconds as text), sqlstate, message}."""


@dataclass(frozen=True, slots=True)
class Append:
    """One frame for one lane."""

    lane: "Lane"
    frame: bytes
    points: int
    rejected: int = 0
    """Points of the same requests that were refused; only counted."""
    history: "History | None" = None
    """Of a dead letter that comes back: what happened to it before."""


class Producer:
    """Appends frames; what it returned from is durable as the acknowledgement says."""

    def __init__(self, redis: "Redis", url: str, acknowledgement: Acknowledgement, ledger: Ledger | None = None) -> None:
        # WAITAOF waits for what its own connection wrote, so append and wait must share one
        self._redis = redis
        self._url = url
        self._acknowledgement = acknowledgement
        self._ledger = ledger or Ledger(redis, url)

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
        for append, (_, totals) in zip(appends, replies, strict=True):
            self._ledger.hear(append.lane, Heard.of(totals))
        return [entry_id.decode() for entry_id, _ in replies]

    async def probe(self, lane: "Lane") -> None:
        """See whether the server would take points, without any. Raises RedisError where it would not."""
        with translated(self._url):
            await script(self._redis, "probe")([lane.counters])

    async def remaining(self, lane: "Lane", ids: Sequence[str]) -> int:
        """How many of those entries are not stored yet."""
        remaining = script(self._redis, "remaining")
        parts = (ids[start : start + _MOST_ASKED] for start in range(0, len(ids), _MOST_ASKED))
        with translated(self._url):
            return sum([int(await remaining([lane.stream], part)) for part in parts])

    async def _send(self, appends: Sequence[Append]) -> list[Any]:
        """The replies to all appends, and to the WAITAOF behind them where there is one.

        On a connection taken by hand: half of what a pipeline of the client's costs, and WAITAOF speaks of its own connection.
        """
        commands = [_command(append) for append in appends]
        if self._acknowledgement.waits:
            wanted = self._acknowledgement
            commands.append(("WAITAOF", wanted.local, wanted.replicas, _WAIT_MS))
        connection = await self._redis.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            # the client packs in Python, at five times the cost
            await connection.send_packed_command(b"".join(map(pack_command, commands)), check_health=False)
            replies = [await _reply(connection) for _ in commands]
        except BaseException:
            # answers may still be on their way: nobody else must read them
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._redis.connection_pool.release(connection)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
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


def _command(append: Append) -> tuple[Any, ...]:
    lane = append.lane
    keys = (lane.stream, lane.counters, lane.rates)
    former = append.history
    history = () if former is None else (former.first_seen, former.count, former.failures)
    return ("EVALSHA", sha("enqueue"), len(keys), *keys, append.frame, append.points, append.rejected, *history)


async def _reply(connection: "AbstractConnection") -> Any:  # noqa: ANN401 - Redis replies are untyped
    """One reply; an error is one too, since those behind it must be read all the same."""
    try:
        return await connection.read_response()
    except redis_errors.ResponseError as exc:
        return exc


async def open_producer(
    redis: "Redis", url: str, durability: Literal["fsync", "memory"], min_replicas: int = 0, ledger: Ledger | None = None
) -> Producer:
    """A producer whose word is worth what `durability` says on that server; a `ledger` outlives it.

    Raises RedisError where the server cannot be reached or can give no such promise.
    """
    with translated(url):
        server = await persistence(redis)
    if durability == "memory":
        log.warning("durability is memory: a crash of %s may lose points that were accepted", server.engine)
    return Producer(redis, url, acknowledgement(server, durability, min_replicas), ledger)
