"""Finding out at once whether a server answers: a person waits."""

import asyncio
from typing import TYPE_CHECKING

from pointq.errors import RedisError
from pointq.queue.connection import describe, translated

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def answers(redis: "Redis", url: str, patience: float) -> float:
    """The server's clock, Unix seconds.

    Raises RedisError where it is down, refuses the login, or says nothing for `patience` seconds.
    """
    try:
        async with asyncio.timeout(patience):
            with translated(url):
                seconds, microseconds = await redis.time()
    except TimeoutError as exc:
        raise RedisError(
            f"Redis at {describe(url)} does not answer within {patience:g} s",
            hint="check that it is running and not frozen; where only the line is slow, set patience_seconds",
        ) from exc
    return float(seconds) + float(microseconds) / 1e6
