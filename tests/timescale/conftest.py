"""A TimescaleDB for each module, and a database of each test's own on it.

In WebAssembly it lets clients in one after the other: a test closes its connection before anything else opens one.
"""

import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg import AsyncConnection

from pointq.store import writer as writing
from pointq.store.connection import connect
from tests.support.timescale import Timescale, clean_database, timescale
from tests.work.conftest import crew

__all__ = ["crew"]


@pytest.fixture(scope="module")
def server() -> Iterator[Timescale]:
    with timescale() as started:
        yield started


@pytest.fixture
def url(server: Timescale, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if not server.full:
        # it cannot take a COPY: every batch goes the way of the small ones
        monkeypatch.setattr(writing, "SMALL_POINTS", sys.maxsize)
    with clean_database(server) as own:
        yield own


@pytest.fixture
async def connection(url: str) -> AsyncIterator[AsyncConnection]:
    connection = await connect(url)
    yield connection
    await connection.close()
