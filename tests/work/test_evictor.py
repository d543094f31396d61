"""Whose session is ended, and whose is not, on real servers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from psycopg import conninfo, sql

from pointq.errors import RedisError
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.store.prepared import prepare
from pointq.store.writer import Writer
from pointq.work.evictor import Evictor, silence
from tests.store.batches import batch_of, check_flights, count_in
from tests.work.crew import Crew, until

SILENT = Heartbeat("silent", "host", 1, (1,), ("live",), 0.0, 0, "running", 0.0)


@pytest.fixture
async def heartbeats(crew: Crew) -> Heartbeats:
    return Heartbeats(crew.redis, crew.redis_url, crew.prefix)


@pytest.fixture
async def victim(crew: Crew) -> AsyncIterator[Writer]:
    writer = Writer(crew.database_url)
    await writer.write(prepare(batch_of(1)))
    yield writer
    await writer.close()


@pytest.fixture
async def writer(crew: Crew) -> AsyncIterator[Writer]:
    writer = Writer(crew.database_url)
    yield writer
    await writer.close()


async def beat(heartbeats: Heartbeats, writer: Writer, *, age: float, worker: str = "silent") -> None:
    assert writer.session is not None
    session = (writer.session.pid, writer.session.started)
    await heartbeats.beat(replace(SILENT, id=worker, at=await heartbeats.now() - age, session=session))


async def lives(crew: Crew, writer: Writer) -> bool:
    assert writer.session is not None
    cursor = await crew.database.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (writer.session.pid,))
    return await cursor.fetchone() is not None


def test_silence_begins_before_anything_is_reclaimed() -> None:
    assert [silence(idle, heartbeat=0.05) for idle in (0.4, 10.0, 60.0)] == [0.2, 5.0, 5.0]


def test_a_heart_that_is_late_by_a_beat_is_not_silent() -> None:
    assert silence(1.0, heartbeat=1.0) == 3.0


@pytest.mark.parametrize("owners", [None, {"silent"}])
async def test_the_session_of_a_silent_worker_is_ended(
    crew: Crew,
    heartbeats: Heartbeats,
    victim: Writer,
    writer: Writer,
    caplog: pytest.LogCaptureFixture,
    owners: set[str] | None,
) -> None:
    await beat(heartbeats, victim, age=60)
    evictor = Evictor(heartbeats, "own", silent_seconds=5)

    with caplog.at_level(logging.WARNING, "pointq.work"):
        for _ in range(2):
            await evictor.evict(writer, owners)

    async def gone() -> bool:
        return not await lives(crew, victim)

    await until(gone, "the session has ended")
    assert [record.getMessage() for record in caplog.records] == [
        "the database session of worker silent, silent for 60 s, was ended, and with it its locks"
    ]


@pytest.mark.parametrize(
    ("worker", "age", "owners"),
    [
        ("silent", 1, None),  # it lives
        ("own", 60, None),
        ("own", 60, {"own"}),
        ("silent", 60, {"another"}),
    ],
)
async def test_no_other_session_is_ended(
    crew: Crew, heartbeats: Heartbeats, victim: Writer, writer: Writer, worker: str, age: float, owners: set[str] | None
) -> None:
    await beat(heartbeats, victim, age=age, worker=worker)

    await Evictor(heartbeats, "own", silent_seconds=5).evict(writer, owners)

    await victim.write(prepare(batch_of(1)))
    assert await lives(crew, victim)
    assert writer.session is None


async def test_of_a_worker_without_a_session_nothing_is_wanted(heartbeats: Heartbeats, writer: Writer) -> None:
    await heartbeats.beat(replace(SILENT, at=await heartbeats.now() - 60))

    await Evictor(heartbeats, "own", silent_seconds=5).evict(writer)

    assert writer.session is None


async def test_a_missing_right_is_said_once(
    crew: Crew, heartbeats: Heartbeats, victim: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"powerless_{conninfo.conninfo_to_dict(crew.database_url)['dbname']}"
    await crew.database.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    powerless = Writer(conninfo.make_conninfo(crew.database_url, options=f"-c role={name}"))
    another = Writer(crew.database_url)
    await another.write(prepare(batch_of(1)))
    await beat(heartbeats, victim, age=60)
    await beat(heartbeats, another, age=60, worker="another")

    with caplog.at_level(logging.WARNING, "pointq.work"):
        await Evictor(heartbeats, "own", silent_seconds=5).evict(powerless)

    (said,) = (record.getMessage() for record in caplog.records)
    assert "may not be ended" in said
    assert "pg_signal_backend" in said
    assert await lives(crew, victim)
    for each in (powerless, another):
        await each.close()
    await crew.database.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


async def test_who_reclaims_ends_the_former_owners_session_first(
    crew: Crew, heartbeats: Heartbeats, victim: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    await crew.put(batch_of(10))
    lost = crew.worker("live", name="silent")
    await lost.consumer.read(crew.lane("live"), 1_000)
    assert victim._connection is not None
    await victim._connection.execute("BEGIN; UPDATE flights SET points = 0")
    await beat(heartbeats, victim, age=60)

    # alone, without a watch
    await crew.worker("live", name="heir", drain=True, reclaim_idle=0.05).drain()

    assert (await crew.measure("live")).stored_points == 9
    assert await count_in(crew.database) == 10
    await check_flights(crew.database)
    assert "reclaimed 1 batches of live points from silent, silent or gone" in caplog.text
    assert "the database session of worker silent" in caplog.text


async def test_nothing_is_stored_over_a_session_before_the_others_know_it(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = crew.worker("live")
    beat, known = hand.heart._heartbeats.beat, asyncio.Event()
    told: list[int] = []

    async def held_up(heartbeat: Heartbeat) -> None:
        if heartbeat.session is not None:
            told.append(heartbeat.session[0])
            await known.wait()
        await beat(heartbeat)

    async def last_statement() -> str:
        cursor = await crew.database.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", told[:1])
        return str(await cursor.fetchone())

    monkeypatch.setattr(hand.heart._heartbeats, "beat", held_up)
    await crew.put(batch_of(10))
    async with hand.running():
        await until(lambda: told, "its first session is to be told")
        # as often as a writer that did not wait would need to be through
        assert all(["pg_backend_pid" in await last_statement() for _ in range(100)])
        known.set()
        await until(partial(crew.done, "live", 10), "the points are stored")


async def test_while_redis_takes_no_heartbeats_points_are_stored_all_the_same(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = crew.worker("live")

    async def refused(_: Heartbeat) -> None:
        raise RedisError("Redis does not answer")

    monkeypatch.setattr(hand.heart._heartbeats, "beat", refused)
    await crew.put(batch_of(10))
    async with hand.running():
        await until(partial(crew.done, "live", 10), "the points are stored")


async def test_a_heartbeat_carries_the_session_at_once_and_the_next_one_too(crew: Crew, heartbeats: Heartbeats) -> None:
    hand = crew.worker("live", heart=3_600.0)

    async def told() -> bool:
        session = hand.worker.session
        return session is not None and [b.session for b in await heartbeats.read()] == [(session.pid, session.started)]

    async with hand.running():
        await until(heartbeats.read, "the first beat")
        for start in (0, 10):
            done = partial(crew.done, "live", start + 10)
            await crew.put(batch_of(10, start=start))
            await until(told, "the heartbeat has the session")
            await until(done, "the points are stored")
            assert hand.worker.session is not None
            await crew.database.execute("SELECT pg_terminate_backend(%s, 10000)", (hand.worker.session.pid,))
