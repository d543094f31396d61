"""A database with pointq's tables, a connection to look into it, and a writer."""

from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection

from pointq.store import schema
from pointq.store.connection import connect
from pointq.store.writer import Writer


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
