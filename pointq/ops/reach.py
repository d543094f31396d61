"""Whether the servers can be reached, and answers that do not come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from psycopg import AsyncConnection

from pointq.errors import DatabaseError
from pointq.queue.connection import connect as connect_redis
from pointq.queue.connection import translated
from pointq.store.connection import abort, describe
from pointq.store.connection import connect as connect_database

SILENCE = 15.0
"""Seconds that the database may take for one answer, once it let in: more than a sort of all flights takes, or a cold disk."""

T = TypeVar("T")


async def reach(redis_url: str, database_url: str, within: float) -> None:
    """Log in to both servers and out again. Raises RedisError or DatabaseError, which say what is wrong."""
    redis = connect_redis(redis_url)
    try:
        with translated(redis_url):
            await redis.time()
    finally:
        await redis.aclose()
    connection = await connect_database(database_url, within=within)
    await connection.close()


@asynccontextmanager
async def database(url: str, patience: float) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection to the database for as long as needed.

    Raises DatabaseError, also where the server says nothing for `patience` seconds.
    """
    try:
        async with asyncio.timeout(patience):
            connection = await connect_database(url, within=patience)
    except TimeoutError as exc:
        raise silent(url, patience) from exc
    try:
        yield connection
    finally:
        await connection.close()


async def in_time(answer: Awaitable[T], connection: AsyncConnection[Any], url: str) -> T:
    """The answer; where none comes the connection is broken, since a server that says nothing cannot be asked to stop.

    Raises DatabaseError.
    """
    asked = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait((asked,), timeout=SILENCE)
        if not done:
            abort(connection)
            await asyncio.wait((asked,))
            raise silent(url, SILENCE)
        return asked.result()
    finally:
        asked.cancel()


def silent(url: str, seconds: float) -> DatabaseError:
    """What to say of a database that did not answer for so long."""
    return DatabaseError(
        f"the database at {describe(url)} says nothing for {seconds:g} s",
        hint="check that it is not stopped or overloaded; where only the line is slow, set patience_seconds",
    )
