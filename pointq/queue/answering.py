"""Finding out at once whether a server answers: a person waits."""

import asyncio
from typing import TYPE_CHECKING

from pointq.errors import RedisError
from pointq.queue.connection import describe, translated

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE = 0.4
"""Seconds that all have to answer at the same time: with what a command takes to start, it says within one what is down."""


async def answers(redis: "Redis", url: str) -> float:
    """The server's clock, Unix seconds. Raises RedisError where it is down, refuses the login, or says nothing in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            with translated(url):
                seconds, microseconds = await redis.time()
    except TimeoutError as exc:
        raise RedisError(
            f"Redis at {describe(url)} does not answer within {PATIENCE:g} s", hint="check that it is running and not frozen"
        ) from exc
    return float(seconds) + float(microseconds) / 1e6
