"""What `pointq check` asks, and whom: nobody who is not needed."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from pointq.errors import BackendError
from pointq.ops.asking import ask_redis, ask_servers, ask_spool
from pointq.ops.collect import ask_database, in_time
from pointq.ops.status import QueueFacts, Status, compose
from pointq.queue.connection import connect
from pointq.queue.lanes import Lane

_ABOUT_REDIS = frozenset({"redis", "age", "depth", "dead", "workers", "memory"})
_ABOUT_DATABASE = frozenset({"database"})
_ABOUT_DISK = frozenset({"intake", "spool"})


async def facts(
    names: Collection[str],
    redis_url: str,
    database_url: str,
    lanes: Sequence[Lane],
    *,
    prefix: str,
    spool: Path,
    patience: float,
) -> Status:
    """The status as far as those checks need it; whoever is asked has `patience` seconds."""
    wanted = set(names)
    disk = spool if wanted & _ABOUT_DISK else None
    queue, database, spooled, servers = await asyncio.gather(
        in_time(_redis(redis_url, lanes, prefix) if wanted & _ABOUT_REDIS else _nobody(), patience),
        in_time(ask_database(database_url) if wanted & _ABOUT_DATABASE else _nobody(), patience),
        in_time(ask_spool(disk), patience),
        in_time(ask_servers(disk), patience),
    )
    known = () if isinstance(servers, Exception) else servers
    return compose(queue, database, lanes, datetime.now(UTC), spool=spooled, servers=known)


async def _nobody() -> NoReturn:
    raise BackendError("nobody was asked")


async def _redis(url: str, lanes: Sequence[Lane], prefix: str) -> QueueFacts:
    async with aclosing(connect(url)) as redis:
        return await ask_redis(redis, url, lanes, prefix)
