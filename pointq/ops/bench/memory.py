"""What waiting points cost Redis."""

import asyncio
from typing import TYPE_CHECKING

from pointq.queue.connection import translated

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LOOKS = 40
_PAUSE_SECONDS = 0.05


async def used_memory(redis: "Redis", url: str) -> int:
    """The bytes that the server uses, as soon as two looks say the same: what clients sent lies in buffers for a moment."""
    last = -1
    for _ in range(_LOOKS):
        with translated(url):
            used = int((await redis.info("memory"))["used_memory"])
        if used == last:
            break
        last = used
        await asyncio.sleep(_PAUSE_SECONDS)
    return last
