"""A client of Redis that answers, for a command that can do nothing without it."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from pointq.cli.backends import running_servers
from pointq.errors import RedisError
from pointq.queue.answering import answers
from pointq.queue.connection import connect

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.config import Settings


async def reached(stack: AsyncExitStack, settings: "Settings") -> "tuple[Redis, str]":
    """The client, closed with the stack, and its URL; embedded servers are not started for it. Raises RedisError."""
    url = _url(settings)
    redis = connect(url)
    stack.push_async_callback(redis.aclose)
    await answers(redis, url, settings.patience_seconds)
    return redis, url


def _url(settings: "Settings") -> str:
    configured = settings.redis.effective_url()
    if configured is not None:
        return configured.get_secret_value()
    found = running_servers(settings)
    if found is None:
        raise RedisError("the embedded servers do not run", hint="`pointq serve` starts them")
    return found.redis_url
