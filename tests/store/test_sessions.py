"""Whose session is whose, and ending another's, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import AsyncConnection, conninfo, sql

from pointq.points.kinds import LIVE
from pointq.store.connection import connect
from pointq.store.prepared import prepare
from pointq.store.sessions import Ending, Session, end, session_of
from pointq.store.writer import Stored, Writer
from tests.store.batches import batch_of, check_flights, count_in


async def known_sessions(connection: AsyncConnection) -> set[Session]:
    cursor = await connection.execute(
        "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE backend_type = %s",
        ("client backend",),
    )
    return {Session(*row) for row in await cursor.fetchall()}


@asynccontextmanager
async def role(connection: AsyncConnection, database_url: str) -> AsyncIterator[tuple[str, str]]:
    """A role without any rights; its name, and the database's URL for it."""
    name = f"role_{conninfo.conninfo_to_dict(database_url)['dbname']}"
    await connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    try:
        yield name, conninfo.make_conninfo(database_url, options=f"-c role={name}")
    finally:
        await connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_a_writer_knows_its_session_as_long_as_it_has_one(writer: Writer, connection: AsyncConnection) -> None:
    seen = [writer.session]
    for _ in range(2):
        await writer.write(prepare(batch_of(1)))
        seen.append(writer.session)
        assert writer.session in await known_sessions(connection)
        await writer.write(prepare(batch_of(1)))
        assert writer.session is seen[-1]
        await writer.close()
        seen.append(writer.session)

    assert seen[::2] == [None, None, None]
    assert seen[1] != seen[3]


async def test_a_writer_tells_each_new_session_once_before_it_uses_it(writer: Writer, connection: AsyncConnection) -> None:
    told = []

    async def tell() -> None:
        told.append((writer.session, await count_in(connection)))

    writer.introduce(tell)
    sessions = []
    for start in (0, 10):
        await writer.write(prepare(batch_of(1, start=start)))
        sessions.append(writer.session)
        await writer.write(prepare(batch_of(1, start=start + 1)))
        await writer.close()

    assert told == [(sessions[0], 0), (sessions[1], 2)]
    assert None not in sessions


async def test_a_session_that_could_not_be_told_is_not_kept(writer: Writer) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    writer.introduce(cancelled)
    with pytest.raises(asyncio.CancelledError):
        await writer.write(prepare(batch_of(1)))

    assert writer.session is None


@pytest.mark.parametrize("count", [100, 1_000])
async def test_whose_session_was_ended_goes_on_with_another(
    writer: Writer, database_url: str, connection: AsyncConnection, count: int
) -> None:
    other = Writer(database_url)
    await writer.write(prepare(batch_of(count)))
    session = writer.session
    assert session is not None

    assert await other.end(session) is Ending.ENDED
    while session in await known_sessions(connection):
        pass
    with pytest.raises(psycopg.OperationalError):
        await writer.write(prepare(batch_of(count)))

    assert await other.end(session) is Ending.GONE
    assert await writer.write(prepare(batch_of(count, start=count))) == Stored(count, 0)
    await check_flights(connection, LIVE)
    await other.close()


async def test_neither_ones_own_nor_one_that_began_at_another_time_is_ended(
    writer: Writer, connection: AsyncConnection
) -> None:
    own = await session_of(connection)
    assert own is not None
    assert await end(connection, own) is Ending.GONE
    await writer.write(prepare(batch_of(1)))
    other = writer.session
    assert other is not None

    assert await end(connection, Session(other.pid, other.started + 1)) is Ending.GONE

    await writer.write(prepare(batch_of(1)))
    assert writer.session is other


@pytest.mark.parametrize("sees", [False, True])
async def test_without_the_right_nothing_is_ended_and_the_connection_still_works(
    writer: Writer, connection: AsyncConnection, database_url: str, *, sees: bool
) -> None:
    await writer.write(prepare(batch_of(1)))
    session = writer.session
    assert session is not None
    async with role(connection, database_url) as (name, url):
        if sees:
            await connection.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(name)))
        powerless = await connect(url)

        assert await end(powerless, session) is Ending.FORBIDDEN
        assert await (await powerless.execute("SELECT 1")).fetchone() == (1,)
        await powerless.close()

    await writer.write(prepare(batch_of(1)))
    assert writer.session is session


async def test_behind_a_pooler_nobody_knows_whose_session_it_will_be(
    connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PgBouncer tells each client a number of its own
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", 1)

    assert await session_of(connection) is None


async def test_a_connection_that_broke_has_none(database_url: str) -> None:
    connection = await connect(database_url)
    await connection.close()

    assert await session_of(connection) is None
