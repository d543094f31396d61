"""The watch over the tokens: what a revocation reaches when a disk or a row of the table is not as it should be."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from pointq import aio
from pointq.ingest.doors.book import BookFile
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.watch import Watch
from pointq.ops.tokens import make
from pointq.store import tokens
from pointq.store.connection import connect
from tests.support.sites import Site
from tests.support.until import until

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
async def connection(site: Site) -> AsyncIterator[AsyncConnection]:
    connection = await connect(site.database_url)
    yield connection
    await connection.close()


@pytest.fixture
def file(tmp_path: Path) -> BookFile:
    return BookFile(tmp_path / "tokens.json", "host/points")


@pytest.fixture
async def keys(site: Site, file: BookFile) -> AsyncIterator[Keys]:
    """What opens doors, under a watch."""
    keys = Keys()
    watch = Watch(keys, site.database_url, file)
    await watch.start()
    yield keys
    await watch.stop()


async def soon(condition: Callable[[], object], what: str) -> None:
    await asyncio.to_thread(until, condition, what)


def names(keys: Keys) -> list[str]:
    assert keys.book is not None
    return [entry.grant.name for entry in keys.book.entries]


async def enter(connection: AsyncConnection, name: str) -> None:
    await tokens.enter(connection, make(name, ["live"], NOW).token)


async def test_a_revocation_reaches_the_disk_once_that_takes_it(
    connection: AsyncConnection, keys: Keys, file: BookFile, caplog: pytest.LogCaptureFixture
) -> None:
    await enter(connection, "anna")
    await soon(lambda: '"anna"' in file.path.read_text(), "she is on disk")
    file.path.unlink()
    file.path.mkdir()
    await tokens.revoke(connection, "anna")
    await soon(lambda: "the tokens cannot be kept" in caplog.text, "the disk did not take the revocation")
    assert names(keys) == []
    file.path.rmdir()
    await soon(file.path.is_file, "the book is there again")
    kept = file.read()
    assert kept is not None
    assert kept.entries == []


async def test_a_row_that_is_wrong_keeps_no_revocation_back(connection: AsyncConnection, keys: Keys) -> None:
    await enter(connection, "anna")
    await enter(connection, "ben")
    await connection.execute("UPDATE pointq_tokens SET scopes = '{live,NULL}' WHERE name = 'ben'")
    await soon(lambda: names(keys) == ["anna", "ben"], "both are known")
    await tokens.revoke(connection, "anna")
    await soon(lambda: names(keys) == ["ben"], "she is no more")


async def test_a_defect_does_not_end_the_watch(
    site: Site, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor the start: what nobody thought of is logged, and the next round goes on."""
    monkeypatch.setattr(aio, "_DEFECT_SECONDS", 0.1)
    await tokens.enter(connection, make("anna", ["live"], NOW, expires_at=NOW + dt.timedelta(days=1)).token)
    await connection.execute("ALTER TABLE pointq_tokens ALTER expires_at TYPE text")
    keys = Keys()
    watch = Watch(keys, site.database_url, None)
    await watch.start()
    assert "a defect in what goes on beside the requests: tokens" in caplog.text
    assert keys.book is None
    await connection.execute("ALTER TABLE pointq_tokens ALTER expires_at TYPE timestamptz USING expires_at::timestamptz")
    await soon(lambda: keys.book, "the tokens are known")
    assert names(keys) == ["anna"]
    await watch.stop()
