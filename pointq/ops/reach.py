"""Whether the servers can be reached."""

from pointq.queue.connection import connect as connect_redis
from pointq.queue.connection import translated
from pointq.store.connection import connect as connect_database


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
