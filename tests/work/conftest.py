"""A crew on real servers: lanes and a database of the test's own, the tables made."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from psycopg import conninfo

from pointq.queue.durability import Acknowledgement
from pointq.queue.producer import Producer
from pointq.store import schema
from pointq.store.connection import connect as connect_database
from tests.support.clients import patient
from tests.work.crew import Crew
from tests.work.proxies import Proxy, proxy


@pytest.fixture
async def crew(redis_url: str, database_url: str, prefix: str) -> AsyncIterator[Crew]:
    redis = patient(redis_url)
    database = await connect_database(database_url)
    await schema.init(database)
    yield Crew(redis, redis_url, database_url, database, Producer(redis, redis_url, Acknowledgement()), prefix)
    await database.close()
    await redis.aclose()


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Proxy]:
    """The door of the database's server."""
    parts = conninfo.conninfo_to_dict(database_url)
    async with proxy(Path(str(parts["host"])) / f".s.PGSQL.{parts['port']}") as opened:
        yield opened


@pytest.fixture
def through_door(database_url: str, door: Proxy) -> str:
    """The database's URL by way of its door."""
    return conninfo.make_conninfo(database_url, host=str(door.path.parent))
