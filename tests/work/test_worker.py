"""A worker on real servers: what waits is stored, what cannot be is kept, whatever happens."""

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from psycopg import AsyncConnection, conninfo, sql

from pointq.config.keeping import TableSettings, TablesSettings
from pointq.errors import RedisError
from pointq.points import frame
from pointq.points.kinds import KINDS, LIVE, SCORING, UPLOAD
from pointq.queue.connection import connect as connect_redis
from pointq.queue.consumer import Outcome
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.producer import Append
from pointq.store.mapping import tables_of
from pointq.work.lot import Lot
from tests.store.batches import batch_of, check_flights, count_in
from tests.support.until import PATIENCE_SECONDS
from tests.work.crew import Crew, until
from tests.work.proxies import Proxy, proxy


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what pointq itself logged."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("pointq.")]


async def test_what_waits_in_every_lane_is_stored_and_counted(crew: Crew) -> None:
    for kind in KINDS.values():
        await crew.put(*(batch_of(50, kind=kind, start=50 * i) for i in range(10)), batch_of(50, kind=kind))
    hand = crew.worker(drain=True, points=200)

    await hand.drain()

    for kind in KINDS.values():
        found = await crew.measure(kind.name)
        assert (found.stored_points, found.duplicate_points, found.pending_batches, found.ready_batches) == (500, 50, 0, 0)
        assert await count_in(crew.database, kind) == 500
        await check_flights(crew.database, kind)
    figures = hand.worker.figures()
    assert (figures.stored, figures.duplicates, figures.dead) == (2_000, 200, 0)


async def test_what_arrives_while_it_waits_is_stored(crew: Crew) -> None:
    async with crew.worker().running():
        await until(lambda: crew.redis.exists(crew.lane("scoring").stream), "the worker has looked at the last lane")
        await crew.put(batch_of(10))
        await until(lambda: crew.done("live", 10), "the live points are stored")
        await crew.put(batch_of(10, kind=SCORING))
        await until(lambda: crew.done("scoring", 10), "the scoring points are stored")


async def test_one_bad_point_in_two_thousand_is_a_dead_letter_alone(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    await crew.database.execute("ALTER TABLE live_track_points ADD CONSTRAINT slow CHECK (speed < 100)")
    batch = batch_of(2_000, speed=np.arange(2_000) / 20)
    batch.columns["speed"][1_234] = 100
    ids = await crew.put(*(batch.only(np.arange(start, start + 500)) for start in range(0, 2_000, 500)))

    with caplog.at_level(logging.ERROR, "pointq.work"):
        await crew.worker(drain=True).drain()

    (letter,) = await crew.dead("live")
    assert (letter[b"n"], letter[b"sqlstate"], letter[b"id"]) == (b"1", b"23514", ids[2].encode())
    assert b'violates check constraint "slow"' in letter[b"message"]
    assert frame.decode(letter[b"f"]).equals(batch.only(np.array([1_234])))
    assert await count_in(crew.database) == 1_999
    await check_flights(crew.database)
    found = await crew.measure("live")
    assert (found.stored_points, found.dead_points, found.dead_batches, found.pending_points) == (1_999, 1, 1, 0)
    assert [record.getMessage() for record in caplog.records] == [
        f"1 live points are dead letters: {letter[b'message'].decode()}"
    ]


async def test_many_bad_points_are_many_letters_and_one_line(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    await crew.database.execute("ALTER TABLE live_track_points ADD CHECK (speed < 100)")
    await crew.put(batch_of(30, speed=np.full(30, 100.0)))

    with caplog.at_level(logging.ERROR, "pointq.work"):
        await crew.worker(drain=True).drain()

    assert len(await crew.dead("live")) == 30
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().startswith("30 live points are dead letters")


async def test_what_is_no_frame_is_a_dead_letter_whole(crew: Crew) -> None:
    lane = crew.lane("live")
    await crew.put(batch_of(3))
    await crew.producer.enqueue([Append(lane, b"nonsense", 7)])
    await crew.put(batch_of(3, start=3))

    await crew.worker(drain=True).drain()

    (letter,) = await crew.dead("live")
    assert (letter[b"f"], letter[b"n"], letter[b"sqlstate"]) == (b"nonsense", b"7", b"frame")
    found = await crew.measure("live")
    assert (found.stored_points, found.dead_points) == (6, 7)


async def test_an_entry_put_in_by_hand_does_not_end_the_worker(crew: Crew) -> None:
    await crew.redis.xadd(crew.lane("live").stream, {"lat": "46.5", "lon": "7.5"})
    await crew.put(batch_of(3))

    await crew.worker(drain=True).drain()

    assert await crew.done("live", 3)
    assert len(await crew.dead("live")) == 1


async def test_a_users_table_that_cannot_be_used_parks_its_lane_alone(crew: Crew) -> None:
    hand = crew.worker(tables=tables_of(TablesSettings(upload=TableSettings(table="mine"))))
    async with hand.running():
        await crew.put(batch_of(10, kind=UPLOAD))
        await until(lambda: hand.worker.figures().state == "paused", "the lane is parked")
        assert "there is no such table" in str(hand.worker.figures().trouble)

        await crew.put(batch_of(10))
        await until(lambda: crew.done("live", 10), "the other lanes go on")
        assert not await crew.dead("upload")

        await crew.database.execute("CREATE TABLE mine (LIKE uploaded_track_points INCLUDING ALL)")
        await until(lambda: crew.done("upload", 10), "its points are stored once the table is there")


async def test_a_missing_table_parks_its_lane_alone_and_refuses_nothing(
    crew: Crew, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = crew.worker(points=100)
    parked: list[Lot] = []
    park = hand.reader.park

    def watched(lot: Lot, seconds: float) -> None:
        parked.append(lot)
        park(lot, seconds)

    monkeypatch.setattr(hand.reader, "park", watched)
    with caplog.at_level(logging.WARNING, "pointq.work"):
        async with hand.running():
            await crew.put(batch_of(100))
            await until(lambda: crew.done("live", 100), "the first points are stored")
            await crew.database.execute("ALTER TABLE live_track_points RENAME TO away")
            await crew.put(*(batch_of(100, start=100 * i) for i in range(1, 40)))
            await until(lambda: hand.worker.figures().state == "paused", "the lane is parked")

            await crew.put(*(batch_of(100, kind=UPLOAD, start=100 * i) for i in range(10)))
            await until(lambda: crew.done("upload", 1_000), "the other lanes go on")
            await until(lambda: len(parked) >= 5, "the parked lots are tried again and again")
            assert (await crew.measure("live")).pending_batches <= 3

            await crew.database.execute("ALTER TABLE away RENAME TO live_track_points")
            await until(lambda: crew.done("live", 4_000), "all is stored")

    assert await crew.dead("live") == []
    assert await count_in(crew.database) == 4_000
    await check_flights(crew.database)
    told = said(caplog)
    assert len(told) == 2, told
    assert told[0].startswith(
        'the table of live points: relation "live_track_points" does not exist; accepted points wait in the queue'
    )
    assert told[1].startswith("the table of live points: works again after")


async def test_a_table_without_its_key_takes_no_points(crew: Crew) -> None:
    hand = crew.worker()
    async with hand.running():
        await crew.put(batch_of(10))
        await until(lambda: crew.done("live", 10), "the first points are stored")
        await crew.database.execute("ALTER TABLE live_track_points RENAME TO away")
        await crew.put(batch_of(10))
        await until(lambda: hand.worker.figures().state == "paused", "the lane is parked")
        await crew.database.execute("CREATE TABLE live_track_points (LIKE away)")
        await until(lambda: "no unique index" in str(hand.worker.figures().trouble), "what is missing is said")
        assert await count_in(crew.database) == 0

        await crew.database.execute("CREATE UNIQUE INDEX ON live_track_points (flight_uuid, time, lat, lon)")
        await until(lambda: crew.done("live", 20), "it goes on")

    assert await crew.dead("live") == []
    assert await count_in(crew.database) == 10


async def test_a_limit_that_one_point_exceeds_parks_its_lane_alone(crew: Crew) -> None:
    await crew.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'too much' USING ERRCODE = 'configuration_limit_exceeded'; END $$;"
        "CREATE TRIGGER limits BEFORE INSERT ON live_track_points FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    await crew.put(batch_of(4))
    hand = crew.worker()
    async with hand.running():
        await until(lambda: hand.worker.figures().state == "paused", "the lane is parked")
        await crew.put(batch_of(10, kind=UPLOAD))
        await until(lambda: crew.done("upload", 10), "the other lanes go on")

        await crew.database.execute("DROP TRIGGER limits ON live_track_points")
        await until(lambda: crew.done("live", 4), "all is stored")

    assert await crew.dead("live") == []


@pytest.mark.parametrize("wrong", ["REVOKE", "DROP COLUMN"])
async def test_other_faults_of_the_installation(crew: Crew, wrong: str) -> None:
    table = sql.Identifier(LIVE.table)
    role = sql.Identifier(f"worker_{conninfo.conninfo_to_dict(crew.database_url)['dbname']}")
    breaks, mends = {
        "REVOKE": ("REVOKE INSERT ON {table} FROM {role}", "GRANT INSERT ON {table} TO {role}"),
        "DROP COLUMN": ("ALTER TABLE {table} RENAME speed TO gone", "ALTER TABLE {table} RENAME gone TO speed"),
    }[wrong]
    await crew.database.execute(sql.SQL("CREATE ROLE {role} LOGIN").format(role=role))
    await crew.database.execute(
        sql.SQL("GRANT SELECT, INSERT, UPDATE ON {table}, flights TO {role}").format(table=table, role=role)
    )
    try:
        await crew.database.execute(sql.SQL(breaks).format(table=table, role=role))
        await crew.put(batch_of(10, speed=np.zeros(10)))
        url = conninfo.make_conninfo(crew.database_url, options=f"-c role={role.as_string().strip(chr(34))}")
        hand = crew.worker("live", database_url=url)
        async with hand.running():
            await until(lambda: hand.worker.figures().state == "paused", "the lane is parked")
            assert (await crew.measure("live")).pending_points == 10
            await crew.database.execute(sql.SQL(mends).format(table=table, role=role))
            await until(lambda: crew.done("live", 10), "all is stored")
        assert await crew.dead("live") == []
    finally:
        await crew.database.execute(sql.SQL("DROP OWNED BY {role}; DROP ROLE {role}").format(role=role))


async def test_a_database_that_refuses_everybody_for_a_while(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    name = str(conninfo.conninfo_to_dict(crew.database_url)["dbname"])
    admin = await AsyncConnection.connect(conninfo.make_conninfo(crew.database_url, dbname="postgres"), autocommit=True)
    hand = crew.worker(points=100)
    with caplog.at_level(logging.WARNING, "pointq.work"):
        async with hand.running():
            await crew.put(batch_of(100))
            await until(lambda: crew.done("live", 100), "the first points are stored")
            await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            await admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (name,))
            await crew.put(*(batch_of(100, start=100 * i) for i in range(1, 20)))
            await until(lambda: hand.worker.figures().state == "paused", "the worker pauses")
            assert (await crew.measure("live")).pending_batches <= 3

            await admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
            await until(lambda: crew.done("live", 2_000), "all is stored")
    await admin.close()

    assert await crew.dead("live") == []
    told = said(caplog)
    assert len(told) == 2, told
    assert told[0].startswith("the database: ")
    assert told[1].startswith("the database: works again after")


async def test_redis_away_for_a_while(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    async with proxy(Path(urlsplit(crew.redis_url).path)) as door:
        redis = connect_redis(f"unix://{door.path}")
        hand = crew.worker("live", redis=redis, points=100)
        with caplog.at_level(logging.WARNING, "pointq.work"):
            async with hand.running():
                await crew.put(batch_of(100))
                await until(lambda: crew.done("live", 100), "the first points are stored")
                await door.shut()
                await until(lambda: hand.reader.outage.active, "the worker notices")
                await crew.put(*(batch_of(100, start=100 * i) for i in range(1, 10)))
                await door.open()
                await until(lambda: crew.done("live", 1_000), "all is stored")
        await redis.aclose()

    told = said(caplog)
    assert len(told) == 2, told
    assert told[0].startswith("Redis at ")
    assert told[1].startswith("Redis: works again after")


async def test_stopped_while_the_database_is_away(crew: Crew, door: Proxy, through_door: str) -> None:
    hand = crew.worker("live", database_url=through_door, points=100)
    await door.shut()
    async with hand.running() as task:
        await crew.put(*(batch_of(100, start=100 * i) for i in range(10)))
        await until(lambda: hand.worker.figures().state == "paused", "the worker pauses")
        hand.worker.stop()
        hand.worker.stop()
        async with asyncio.timeout(5):
            await task

    found = await crew.measure("live")
    assert found.pending_batches >= 1
    assert found.ready_points + found.pending_points == 1_000
    assert hand.reader.held[crew.lane("live")] == set()
    await crew.worker("live", drain=True, reclaim_idle=0.01, name="two").drain()
    assert await count_in(crew.database) == 1_000


async def test_stopped_while_the_database_says_nothing(
    crew: Crew, door: Proxy, through_door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointq.work.worker._STOP_SECONDS", 0.1)
    hand = crew.worker("live", database_url=through_door, points=100)
    async with hand.running() as task:
        await crew.put(batch_of(100))
        await until(lambda: crew.done("live", 100), "the first points are stored")
        door.hold()
        await crew.put(batch_of(100, start=100))
        await until(lambda: hand.reader.held[crew.lane("live")], "the worker has the second batch")
        hand.worker.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task

    assert (await crew.measure("live")).pending_points == 100


async def test_stopped_it_stores_what_it_has_read(crew: Crew) -> None:
    hand = crew.worker("live", points=100)
    async with crew.database.transaction():
        await crew.database.execute("LOCK TABLE live_track_points")
        await crew.put(*(batch_of(100, start=100 * i) for i in range(10)))
        task = asyncio.create_task(hand.worker.run())
        await until(lambda: len(hand.reader.held[crew.lane("live")]) == 3, "three lots are read: one stored, two waiting")
        hand.worker.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task

    found = await crew.measure("live")
    assert (found.stored_points, found.pending_points, found.ready_points) == (300, 0, 700)


async def test_what_a_dead_worker_held_is_taken_over(crew: Crew) -> None:
    await crew.put(*(batch_of(10, start=10 * i) for i in range(5)))
    lost = crew.worker("live", name="lost")
    assert len((await lost.consumer.read(crew.lane("live"), 1_000))[0]) == 5

    hand = crew.worker("live", drain=True, reclaim_idle=0.05, name="heir")
    await hand.drain()

    assert len(hand.consumer.taken) == 5
    assert {entry.deliveries for entry in hand.consumer.taken} == {2}
    assert await count_in(crew.database) == 50
    assert (await crew.measure("live")).pending_batches == 0


async def test_a_read_whose_answer_was_lost_is_made_good_by_the_same_worker(crew: Crew) -> None:
    await crew.put(batch_of(10))
    hand = crew.worker("live", drain=True, reclaim_idle=0.05)
    await hand.consumer.read(crew.lane("live"), 1_000)

    await hand.drain()

    assert await crew.done("live", 10)


async def test_what_another_completed_meanwhile_is_neither_counted_nor_told(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await crew.database.execute("ALTER TABLE live_track_points ADD CHECK (speed < 100)")
    await crew.put(batch_of(10, speed=np.arange(10) + 91.0))
    hand, other = crew.worker("live", drain=True), crew.worker("live", name="other").consumer
    complete = hand.consumer.complete

    async def late(lane: Lane, outcome: Outcome) -> int:
        await other.complete(lane, outcome)
        return await complete(lane, outcome)

    monkeypatch.setattr(hand.consumer, "complete", late)
    await hand.drain()

    figures = hand.worker.figures()
    assert (figures.stored, figures.duplicates, figures.dead) == (9, 0, 0)
    assert len(await crew.dead("live")) == 1
    assert said(caplog) == ["10 live points were completed by another worker meanwhile"]
    assert hand.reader.held[crew.lane("live")] == set()


async def test_a_completion_whose_answer_was_lost_is_counted_once(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await crew.database.execute("ALTER TABLE live_track_points ADD CHECK (speed < 100)")
    await crew.put(batch_of(10, speed=np.arange(10) + 91.0))
    hand = crew.worker("live", drain=True)
    complete = hand.consumer.complete

    async def lost(lane: Lane, outcome: Outcome) -> int:
        monkeypatch.setattr(hand.consumer, "complete", complete)
        await complete(lane, outcome)
        raise RedisError("no answer")

    monkeypatch.setattr(hand.consumer, "complete", lost)
    await hand.drain()

    figures, found = hand.worker.figures(), await crew.measure("live")
    assert (figures.stored, figures.dead) == (found.stored_points, found.dead_points) == (9, 1)
    assert len(await crew.dead("live")) == 1
    assert "1 live points are dead letters" in caplog.text


async def test_what_redis_loses_while_it_is_completed_is_stored_and_not_lost(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await crew.put(batch_of(10))
    hand = crew.worker("live")
    lane, complete = crew.lane("live"), hand.consumer.complete

    async def away(_lane: Lane, _outcome: Outcome) -> int:
        monkeypatch.setattr(hand.consumer, "complete", complete)
        await hand.consumer.ledger.look([lane])
        await crew.redis.delete(lane.stream, lane.counters, lane.rates)
        raise RedisError("Redis is away")

    monkeypatch.setattr(hand.consumer, "complete", away)
    async with hand.running():
        await until(lambda: "10 live points are stored that Redis lost" in caplog.text, "it says so")
        found = await crew.measure("live")
    assert (found.accepted_points, found.stored_points, found.lost_points) == (10, 10, 0)
    assert await count_in(crew.database) == 10


async def test_a_slow_batch_is_not_taken_away(crew: Crew) -> None:
    slow, other = crew.worker("live", name="slow"), crew.worker("live", name="other", reclaim_idle=0.3)
    async with slow.running():
        async with crew.database.transaction():
            await crew.database.execute("LOCK TABLE live_track_points")
            await crew.put(batch_of(10))
            await until(lambda: slow.reader.held[crew.lane("live")], "the slow worker has the batch")
            async with other.running():
                # three looks a reclaiming time
                await until(lambda: other.consumer.looks >= 8, "the other one has looked for longer than that")
            pending = await crew.redis.xpending_range(crew.lane("live").stream, GROUP, "-", "+", 10)
        await until(lambda: crew.done("live", 10), "the batch is stored")

    assert other.consumer.taken == []
    assert [(p["consumer"], p["times_delivered"]) for p in pending] == [(b"slow", 1)]


async def test_two_workers_share_and_store_each_point_once(crew: Crew) -> None:
    await crew.put(*(batch_of(50, flight=f"f{i % 5}", start=50 * i) for i in range(60)))
    hands = [crew.worker("live", name=name, drain=True, points=300) for name in ("one", "two")]

    await asyncio.gather(*(hand.drain() for hand in hands))

    figures = [hand.worker.figures() for hand in hands]
    assert sum(f.stored for f in figures) == 3_000
    assert sum(f.duplicates for f in figures) == 0
    await check_flights(crew.database)


async def test_a_failure_of_the_reading_half_ends_the_worker(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = crew.worker("live")

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(hand.reader._schedule, "order", broken)

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ZeroDivisionError):
            await hand.worker.run()


async def test_the_next_lot_is_stored_while_the_entries_of_the_last_are_completed_and_no_further_one(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crew.put(*(batch_of(100, start=100 * i) for i in range(4)))
    hand = crew.worker("live", drain=True, points=100)
    complete, gate = hand.consumer.complete, asyncio.Event()

    async def slow(lane: Lane, outcome: Outcome) -> int:
        await gate.wait()
        return await complete(lane, outcome)

    async def waits_for_completion() -> bool:
        return hand.worker.storing is None and await count_in(crew.database) == 200

    monkeypatch.setattr(hand.consumer, "complete", slow)
    draining = asyncio.create_task(hand.drain())
    try:
        await until(waits_for_completion, "two lots are stored")
        assert (await crew.measure("live")).stored_points == 0
    finally:
        gate.set()
        await draining

    found = await crew.measure("live")
    assert (found.stored_points, found.duplicate_points, found.pending_points) == (400, 0, 0)
    await check_flights(crew.database)


async def test_a_failure_of_completing_ends_the_worker(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    await crew.put(batch_of(10))
    hand = crew.worker("live")

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(hand.consumer, "complete", broken)

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ZeroDivisionError):
            await hand.worker.run()
    assert await count_in(crew.database) == 10


async def test_cancelled_it_leaves_no_task_and_everything_in_the_queue(crew: Crew) -> None:
    before = asyncio.all_tasks()
    hand = crew.worker("live", points=100)
    async with crew.database.transaction():
        await crew.database.execute("LOCK TABLE live_track_points")
        await crew.put(*(batch_of(100, start=100 * i) for i in range(10)))
        task = asyncio.create_task(hand.worker.run())
        await until(lambda: len(hand.reader.held[crew.lane("live")]) == 3, "three lots are read")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert asyncio.all_tasks() == before
    found = await crew.measure("live")
    assert (found.stored_points, found.ready_points + found.pending_points) == (0, 1_000)
