"""A database with pointq's tables, a connection to look into it, and a writer, on every PostgreSQL of this machine."""

from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg import AsyncConnection

from pointq.store import schema
from pointq.store.connection import connect
from pointq.store.writer import Writer
from tests.support import postgres
from tests.support.databases import database


@pytest.fixture(scope="session", params=postgres.versions())
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server, as its administrator."""
    if request.param == postgres.EMBEDDED:
        yield request.getfixturevalue("backends").database_url
        return
    with postgres.running(request.param) as url:
        yield url


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A database without tables."""
    with database(server_url) as own:
        yield own


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    connection = await connect(database_url)
    await schema.init(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def writer(connection: AsyncConnection, database_url: str) -> AsyncIterator[Writer]:
    assert not connection.closed
    writer = Writer(database_url)
    yield writer
    await writer.close()
