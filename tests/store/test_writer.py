"""Batches into a real table: each point once, whichever way it took."""

import asyncio
import random
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import AsyncConnection, errors

from pointq.errors import DatabaseError
from pointq.points.batch import PointBatch, concat
from pointq.points.flights import Flight
from pointq.points.kinds import FLYMASTER, KINDS, LIVE, NULL_TEXT, SCORING, UPLOAD, Kind
from pointq.store import schema
from pointq.store.connection import connect
from pointq.store.encoding import BLOCK_ROWS
from pointq.store.faults import Fault, fault
from pointq.store.flights import stored_points
from pointq.store.prepared import Prepared, prepare
from pointq.store.writer import Stored, Writer
from tests.store.batches import START_US, batch_of, check_flights, count_in, keys_of, rows_in, rows_of
from tests.support.databases import database

SMALL, LARGE = 100, 1_000
"""Points of a batch that is one INSERT, and of one that is split."""


def pid_of(writer: Writer) -> int:
    assert writer._connection is not None
    return writer._connection.info.backend_pid


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which statements a writer sends, by their first words."""
    sent: list[str] = []
    real = psycopg.AsyncCursor.copy

    def copy(self: Any, statement: Any, *args: Any, **options: Any) -> Any:
        sent.append("COPY")
        return real(self, statement, *args, **options)

    monkeypatch.setattr(psycopg.AsyncCursor, "copy", copy)
    return sent


@pytest.mark.parametrize("count", [1, SMALL, LARGE])
async def test_every_column_comes_back(writer: Writer, connection: AsyncConnection, count: int) -> None:
    for kind in KINDS.values():
        batch = full_batch(kind, count)

        assert await writer.write(prepare(batch)) == Stored(count, 0)

        assert await rows_in(connection, kind) == rows_of(batch)
        await check_flights(connection, kind)


async def test_rows_come_back_wherever_their_nulls_and_the_blocks_they_are_sent_in_end(
    writer: Writer, connection: AsyncConnection
) -> None:
    count = 3 * BLOCK_ROWS + 1
    place = np.arange(count)
    speed = np.where(place < BLOCK_ROWS, np.nan, place / 8)
    heading = np.where(place % 2 == 0, np.nan, place % 360)
    batch = batch_of(count, speed=speed, heading=heading, valid=np.where(place > 2 * BLOCK_ROWS, -1, 1).astype("i1"))

    assert await writer.write(prepare(batch)) == Stored(count, 0)

    assert await rows_in(connection) == rows_of(batch)


async def test_copy_and_insert_make_the_same_rows(writer: Writer, connection: AsyncConnection) -> None:
    batch = full_batch(SCORING, LARGE)
    await writer.write(prepare(batch))
    copied = await rows_in(connection, SCORING)
    await connection.execute("TRUNCATE scoring_track_points, flights")

    for start in range(0, LARGE, SMALL):
        await writer.write(prepare(batch.only(np.arange(start, start + SMALL))))

    assert await rows_in(connection, SCORING) == copied
    await check_flights(connection, SCORING)


async def test_columns_that_no_point_has_are_null(writer: Writer, connection: AsyncConnection) -> None:
    for count, kind in ((SMALL, UPLOAD), (LARGE, FLYMASTER)):
        batch = batch_of(count, kind=kind)
        await writer.write(prepare(batch))
        assert await rows_in(connection, kind) == rows_of(batch)
        await check_flights(connection, kind)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_the_same_batch_twice_is_stored_once(writer: Writer, connection: AsyncConnection, count: int) -> None:
    batch = batch_of(count)

    assert [await writer.write(prepare(batch)) for _ in range(2)] == [Stored(count, 0), Stored(0, count)]

    assert await count_in(connection) == count
    await check_flights(connection)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_equal_keys_in_one_batch_are_one_point_and_the_first_wins(
    writer: Writer, connection: AsyncConnection, count: int
) -> None:
    first = batch_of(count, speed=np.full(count, 1.0))
    again = batch_of(count, speed=np.full(count, 2.0))

    assert await writer.write(prepare(concat([first, again]))) == Stored(count, count)

    assert await rows_in(connection) == rows_of(first)


async def test_a_batch_of_late_new_and_known_points_is_split(
    writer: Writer, connection: AsyncConnection, ways: list[str]
) -> None:
    await writer.write(prepare(batch_of(LARGE, start=1_000)))
    assert ways == ["COPY"]
    mixed = concat(
        [
            batch_of(600, start=0),  # late
            batch_of(600, start=1_000, lat=47.0),  # late too: other points at known times
            batch_of(1_200, start=1_900, lat=46.0),  # 100 known times with other longitudes, 1,100 new
            batch_of(LARGE, start=1_000),  # known
            batch_of(300, flight="b"),
        ]
    )

    assert await writer.write(prepare(mixed)) == Stored(600 + 600 + 1_200 + 300, LARGE)

    assert ways == ["COPY", "COPY"]
    assert await count_in(connection) == LARGE + 2_700
    await check_flights(connection)


async def test_late_points_alone_need_no_copy(writer: Writer, connection: AsyncConnection, ways: list[str]) -> None:
    await writer.write(prepare(batch_of(1, start=10_000)))

    assert await writer.write(prepare(batch_of(LARGE))) == Stored(LARGE, 0)

    assert ways == []
    await check_flights(connection)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_flights_emptied_by_hand(writer: Writer, connection: AsyncConnection, count: int) -> None:
    known = batch_of(count)
    await writer.write(prepare(known))
    await connection.execute("TRUNCATE flights")

    assert await writer.write(prepare(concat([known, batch_of(5, start=count)]))) == Stored(5, count)

    assert await count_in(connection) == count + 5


async def test_the_last_fix_is_compared_to_the_microsecond(writer: Writer, connection: AsyncConnection) -> None:
    base = batch_of(LARGE)
    times = START_US + np.arange(LARGE, dtype=np.int64)
    one = PointBatch(LIVE, base.flights, base.flight, {**base.columns, "time": times})
    two = PointBatch(LIVE, base.flights, base.flight, {**base.columns, "time": times + LARGE - 1})

    assert await writer.write(prepare(one)) == Stored(LARGE, 0)
    assert await writer.write(prepare(two)) == Stored(LARGE, 0)

    assert await count_in(connection) == 2 * LARGE
    await check_flights(connection)


async def test_what_is_known_of_a_flight_is_completed_and_never_unlearned(writer: Writer, connection: AsyncConnection) -> None:
    for flight_id, device_id in ((None, None), ("f", None), (None, "d"), ("other", "other")):
        batch = batch_of(1)
        flight = Flight(batch.flights[0].uuid, flight_id, device_id)
        await writer.write(prepare(PointBatch(LIVE, (flight,), batch.flight, batch.columns)))

    cursor = await connection.execute("SELECT flight_id, device_id, points FROM flights")
    assert await cursor.fetchall() == [("f", "d", 1)]


async def test_stored_points(writer: Writer, connection: AsyncConnection) -> None:
    batch = batch_of(7)
    await writer.write(prepare(batch))
    known, unknown = batch.flights[0], Flight.of("live", "b")

    assert await stored_points(connection, "live", [known, unknown]) == {known.uuid: 7, unknown.uuid: 0}
    assert await stored_points(connection, "upload", [known]) == {known.uuid: 0}
    assert await stored_points(connection, "live", []) == {}


@pytest.mark.parametrize(("count", "fresh", "known"), [(SMALL, 1, 1), (LARGE, 3, 2)])
async def test_the_server_waits_for_few_round_trips(
    writer: Writer, connection: AsyncConnection, tmp_path: Path, count: int, fresh: int, known: int
) -> None:
    await writer.write(prepare(batch_of(count, start=-count)))
    assert await count_in(connection) == count
    assert writer._connection is not None

    for number, expected in enumerate((fresh, known)):
        with (tmp_path / str(number)).open("w") as trace:
            writer._connection.pgconn.trace(trace.fileno())
            await writer.write(prepare(batch_of(count)))
            writer._connection.pgconn.untrace()
        assert (tmp_path / str(number)).read_text().count("ReadyForQuery") == expected


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_a_refused_point_leaves_nothing_behind(writer: Writer, connection: AsyncConnection, count: int) -> None:
    await connection.execute("ALTER TABLE live_track_points ADD CHECK (speed < 100)")
    speed = np.zeros(count)
    speed[count // 2] = 100

    with pytest.raises(errors.CheckViolation):
        await writer.write(prepare(batch_of(count, speed=speed)))

    assert await count_in(connection) == 0
    pid = pid_of(writer)
    assert await writer.write(prepare(batch_of(count))) == Stored(count, 0)
    assert pid_of(writer) == pid
    await check_flights(connection)


@pytest.mark.parametrize("known", [0, 10])
@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_points_that_cannot_be_counted_are_not_stored(
    writer: Writer, connection: AsyncConnection, count: int, known: int
) -> None:
    batch = batch_of(count)
    await writer.write(prepare(batch.take(np.arange(known)) if known else batch_of(1, start=-1)))
    before = await count_in(connection)
    await connection.execute(f"ALTER TABLE flights ADD CONSTRAINT few CHECK (points < {count})")

    with pytest.raises(errors.CheckViolation):
        await writer.write(prepare(batch))

    assert await count_in(connection) == before
    await check_flights(connection)
    await connection.execute("ALTER TABLE flights DROP CONSTRAINT few")
    assert await writer.write(prepare(batch)) == Stored(count - known, known)
    await check_flights(connection)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_a_broken_connection_is_replaced(writer: Writer, connection: AsyncConnection, count: int) -> None:
    await writer.write(prepare(batch_of(count)))
    pid = pid_of(writer)
    await connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))

    with pytest.raises(psycopg.OperationalError):
        await writer.write(prepare(batch_of(count, start=count)))
    assert await writer.write(prepare(batch_of(count, start=count))) == Stored(count, 0)

    assert pid_of(writer) != pid
    await check_flights(connection)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_a_cancelled_write_stores_nothing_and_the_next_one_works(
    writer: Writer, connection: AsyncConnection, count: int
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE live_track_points")
        writing = asyncio.create_task(writer.write(prepare(batch_of(count))))
        await waits_for_lock(connection)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert await count_in(connection) == 0

    assert await writer.write(prepare(batch_of(count))) == Stored(count, 0)
    await check_flights(connection)


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_an_aborted_write_fails_at_once_and_writing_again_is_harmless(
    writer: Writer, connection: AsyncConnection, count: int
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE live_track_points")
        writing = asyncio.create_task(writer.write(prepare(batch_of(count))))
        await waits_for_lock(connection)
        writer.abort()
        with pytest.raises(psycopg.OperationalError):
            await writing

    # the server may have had all it needed, and stored the points when it got the lock
    again = await writer.write(prepare(batch_of(count)))

    assert again.stored + again.duplicates == count
    assert await count_in(connection) == count
    await check_flights(connection)


async def test_aborting_without_a_connection() -> None:
    writer = Writer("postgresql://nobody@localhost/none")
    assert not writer.abort()
    await writer.close()


async def test_text_is_stored_right_whatever_the_encoding_of_the_database(database_url: str) -> None:
    def of_flight(flight: str) -> Prepared:
        return prepare(batch_of(3, flight=flight, kind=SCORING, validity=np.array(["é".encode()] * 3)))

    with database(database_url, template="template0", options="ENCODING 'LATIN1' LOCALE 'C'") as latin:
        async with await connect(latin) as connection:
            await schema.init(connection)
            writer = Writer(latin)
            await writer.write(of_flight("né"))
            rows = await connection.execute("SELECT DISTINCT flight_id, validity FROM flights, scoring_track_points")
            assert await rows.fetchall() == [("né", "é")]
            with pytest.raises(psycopg.Error) as caught:
                await writer.write(of_flight("日本"))
            assert fault(caught.value) is Fault.DATA
            await writer.close()


async def test_a_database_that_is_not_there(database_url: str) -> None:
    writer = Writer(database_url.replace("/test_", "/none_"))

    with pytest.raises(DatabaseError, match="does not exist"):
        await writer.write(prepare(batch_of(1)))
    await writer.close()


async def test_a_lock_is_not_waited_for_for_ever(database_url: str, connection: AsyncConnection) -> None:
    joint = "&" if "?" in database_url else "?"
    writer = Writer(f"{database_url}{joint}options=-c%20lock_timeout%3D10")
    assert await setting(connection, "lock_timeout") == "10s"
    await writer.write(prepare(batch_of(1)))
    assert writer._connection is not None
    await writer._connection.execute("SET lock_timeout = 10")

    async with connection.transaction():
        await connection.execute("SELECT FROM flights FOR UPDATE")
        with pytest.raises(errors.LockNotAvailable):
            await writer.write(prepare(batch_of(1)))
    await writer.close()


@pytest.mark.parametrize("seed", range(6))
async def test_flights_are_what_the_table_says_after_any_batches(
    connection: AsyncConnection, database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers at once, few flights, few times: most points come more than once and in any order."""
    monkeypatch.setattr("pointq.store.writer.SMALL_POINTS", 20)
    chance = random.Random(seed)  # noqa: S311 - repeatable
    flights = ["a", "b", "c"]
    sent: set[tuple[int, int, int]] = set()
    counted = Stored(0, 0)
    total = 0
    writers = [Writer(database_url) for _ in range(2)]
    for _ in range(15):
        batches = [
            [(chance.randrange(3), chance.randrange(60), chance.randrange(4)) for _ in range(chance.randint(1, 60))]
            for _ in writers
        ]
        results = await asyncio.gather(
            *(writer.write(prepare(keys_of(flights, points))) for writer, points in zip(writers, batches, strict=True))
        )
        sent.update(*batches)
        total += sum(map(len, batches))
        counted = Stored(
            counted.stored + sum(r.stored for r in results), counted.duplicates + sum(r.duplicates for r in results)
        )
        found = await check_flights(connection)
        assert sum(found.values()) == len(sent)
    for writer in writers:
        await writer.close()

    assert counted == Stored(len(sent), total - len(sent))


async def test_writers_of_the_same_flights_never_deadlock(
    connection: AsyncConnection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointq.store.writer.SMALL_POINTS", 200)
    names = [f"flight {i}" for i in range(40)]

    async def write(seed: int) -> int:
        chance = random.Random(seed)  # noqa: S311 - repeatable
        writer = Writer(database_url)
        stored = 0
        for _ in range(12):
            order = chance.sample(names, len(names))
            points = [
                (chance.randrange(40), chance.randrange(30), chance.randrange(4)) for _ in range(chance.choice((150, 400)))
            ]
            stored += (await writer.write(prepare(keys_of(order, points)))).stored
        await writer.close()
        return stored

    stored = await asyncio.gather(*(write(seed) for seed in range(6)))

    assert sum(stored) == await count_in(connection)
    await check_flights(connection)
    cursor = await connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert await cursor.fetchone() == (0,)


async def setting(connection: AsyncConnection, name: str) -> str:
    row = await (await connection.execute("SELECT current_setting(%s)", (name,))).fetchone()
    assert row is not None
    return str(row[0])


async def waits_for_lock(connection: AsyncConnection) -> None:
    """Return when a session of this database waits for a lock."""
    async with asyncio.timeout(30):
        while True:
            await connection.execute("SELECT pg_stat_clear_snapshot()")
            cursor = await connection.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if await cursor.fetchone() is not None:
                return


def full_batch(kind: Kind, count: int) -> PointBatch:
    """Points with a value in every column, NULLs of every type among them."""
    chance = np.random.default_rng(count)
    batch = batch_of(count, kind=kind)
    columns = dict(batch.columns)
    for number, column in enumerate(kind.columns):
        if column.required:
            continue
        values: Any
        match column.type.value.dtype:
            case "<f8":
                values = chance.uniform(-1_000, 1_000, count)
                values[:1] = -0.0
            case "<i4":
                values = chance.integers(-(2**31) + 1, 2**31, count).astype(np.int32)
            case "i1":
                values = chance.integers(0, 2, count).astype(np.int8)
            case "<i8":
                values = START_US + chance.integers(0, 10**15, count)
            case _:
                texts = ["", "A", "Ünï ☂", "x" * 64, "0"]
                values = np.array([texts[i].encode() for i in chance.integers(0, 5, count)])
        null = chance.random(count) < (0.5 if number % 2 else 0.05)
        values[null] = NULL_TEXT if values.dtype.kind == "S" else column.type.value.null
        columns[column.name] = values
    return PointBatch(kind, batch.flights, batch.flight, columns)
