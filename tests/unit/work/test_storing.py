"""Storing a lot on a database that says no in every way there is."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import psycopg
import pytest

from pointq.aio import Backoff
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import LIVE, UPLOAD
from pointq.queue.consumer import Entry
from pointq.queue.lanes import Lane
from pointq.store.prepared import Prepared
from pointq.store.writer import Stored
from pointq.work.lot import UNREADABLE, Lot, make_lot
from pointq.work.progress import Refused, Tally
from pointq.work.storing import SLICE_SECONDS, Write, store
from tests.store.batches import batch_of

LANE = Lane.of(LIVE)


def entry(number: int, batch: PointBatch, *, points: int | None = None, data: bytes | None = None) -> Entry:
    return Entry(LANE, f"{number}-0", len(batch) if points is None else points, frame.encode(batch) if data is None else data)


async def lot_of(count: int) -> Lot:
    """Points in entries of ten, the longitude of each its number."""
    numbers = np.arange(count, dtype=np.float64)
    batch = batch_of(count, lon=numbers)
    return await make_lot(LANE, [entry(i, batch.only(np.arange(i, min(i + 10, count)))) for i in range(0, count, 10)])


def error(state: str) -> psycopg.Error:
    found = psycopg.Error(f"of {state}")
    found.sqlstate = state
    return found


class Database:
    """Takes batches as `refuse` lets it."""

    def __init__(self, refuse: Callable[[Prepared, int], psycopg.Error | None]) -> None:
        self._refuse = refuse
        self.calls = 0
        self.stored: list[float] = []

    async def write(self, prepared: Prepared) -> Stored:
        self.calls += 1
        if (refusal := self._refuse(prepared, self.calls)) is not None:
            raise refusal
        self.stored += prepared.batch.columns["lon"].tolist()
        return Stored(len(prepared.batch), prepared.repeated)


async def stored(write: Write, lot: Lot, backoff: Backoff) -> Tally:
    assert await store(write, lot, backoff)
    return lot.progress.tally if lot.progress else Tally()


def backoff(slept: list[float]) -> Backoff:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return Backoff(sleep=sleep)


def poison(bad: Sequence[int], state: str = "23514") -> Callable[[Prepared, int], psycopg.Error | None]:
    return lambda prepared, _: error(state) if np.isin(prepared.batch.columns["lon"], bad).any() else None


@pytest.mark.parametrize("bad", [[], [0], [99], [3, 4], [0, 50, 99], list(range(100))])
async def test_the_bad_points_are_found_and_all_others_stored(bad: list[int]) -> None:
    lot, database = await lot_of(100), Database(poison(bad))

    tally = await stored(database.write, lot, backoff([]))

    assert sorted(database.stored) == [n for n in range(100) if n not in bad]
    assert tally.stored == 100 - len(bad)
    assert tally.refused == [Refused(row, "23514", "of 23514") for row in bad]
    letters = await lot.dead_letters(tally.refused)
    assert [letter.source.id for letter in letters] == [f"{row // 10 * 10}-0" for row in bad]
    assert [frame.decode(letter.frame).columns["lon"].tolist() for letter in letters] == [[row] for row in bad]
    assert {letter.points for letter in letters} <= {1}


async def test_one_bad_point_costs_few_transactions() -> None:
    database = Database(poison([700]))

    await store(database.write, await lot_of(1_000), backoff([]))

    assert database.calls <= 2 * 10 + 3


async def test_a_conflict_is_tried_again_until_it_is_the_installations_trouble() -> None:
    slept: list[float] = []
    database = Database(lambda _, calls: error("40P01") if calls < 5 else None)
    assert (await stored(database.write, await lot_of(10), backoff(slept))).stored == 10
    assert len(slept) == 4

    with pytest.raises(psycopg.Error, match="40001"):
        await store(Database(lambda *_: error("40001")).write, await lot_of(10), backoff(slept))


@pytest.mark.parametrize("state", ["53400", "57014"])
async def test_what_is_too_much_is_halved(state: str) -> None:
    database = Database(lambda prepared, _: error(state) if len(prepared.batch) > 30 else None)
    tally = await stored(database.write, await lot_of(100), backoff([]))
    assert (tally.stored, tally.refused) == (100, [])

    with pytest.raises(psycopg.Error, match=state):
        await store(Database(lambda *_: error(state)).write, await lot_of(10), backoff([]))


async def test_of_what_is_too_much_the_newest_is_stored_first_and_then_flight_by_flight() -> None:
    day, hour = 86_400, 3_600
    old = [batch_of(20, flight=name, start=i, lon=np.full(20, float(i))) for i, name in enumerate("abcd")]
    late = [each.only(np.arange(k, k + 5)) for k in range(0, 20, 5) for each in old]
    fresh = batch_of(20, flight="now", start=7 * day + hour, lon=np.full(20, 9.0))
    lot = await make_lot(LANE, [entry(i, each) for i, each in enumerate([*late[:8], fresh, *late[8:]])])
    written: list[list[float]] = []

    def refuse(prepared: Prepared, _: int) -> psycopg.Error | None:
        """Take what is of two flights at most."""
        flights = sorted(set(prepared.batch.columns["lon"].tolist()))
        if len(flights) > 2:
            return error("53400")
        written.append(flights)
        return None

    assert await store(Database(refuse).write, lot, backoff([]))

    assert written[0][-1] == 9.0
    assert sum(len(flights) for flights in written) <= 8


async def test_what_takes_long_is_left_for_a_while_and_gone_on_with() -> None:
    now = 0.0

    def refuse(prepared: Prepared, _: int) -> psycopg.Error | None:
        nonlocal now
        now += SLICE_SECONDS * 0.4
        return error("53400") if len(prepared.batch) > 10 else None

    lot, database = await lot_of(100), Database(refuse)
    slices = 0
    while not await store(database.write, lot, backoff([]), clock=lambda: now):
        slices += 1

    assert slices >= 4
    assert lot.progress is not None
    assert lot.progress.tally == Tally(stored=100)
    assert sorted(database.stored) == list(range(100))
    # 100, 50, 25, 13 are too much: the size that is not is found once and kept
    assert database.calls == 4 + 16


async def test_after_an_outage_it_goes_on_where_it_was() -> None:
    database = Database(lambda prepared, calls: error("57P01") if calls == 4 else poison([99])(prepared, calls))
    lot = await lot_of(100)
    with pytest.raises(psycopg.Error, match="57P01"):
        await store(database.write, lot, backoff([]))
    before = len(database.stored)

    assert before
    assert await store(database.write, lot, backoff([]))

    assert lot.progress is not None
    assert lot.progress.tally.stored == len(database.stored) == 99


@pytest.mark.parametrize("state", ["42P01", "42501", "25006", "08006", "53100", "57P01", "XX000"])
async def test_the_installations_fault_is_raised_and_nothing_refused(state: str) -> None:
    database = Database(lambda *_: error(state))

    with pytest.raises(psycopg.Error, match=state):
        await store(database.write, await lot_of(10), backoff([]))

    assert database.calls == 1


async def test_an_outage_in_the_middle_of_a_search_refuses_nothing() -> None:
    search = poison([3])
    database = Database(lambda prepared, calls: error("57P01") if calls == 6 else search(prepared, calls))

    with pytest.raises(psycopg.Error, match="57P01"):
        await store(database.write, await lot_of(100), backoff([]))


async def test_many_dead_letters_leave_the_heart_its_beats() -> None:
    lot = await lot_of(100)
    making = asyncio.create_task(lot.dead_letters([Refused(row, "23514", "of 23514") for row in range(100)]))
    beats = 0
    while not making.done():
        await asyncio.sleep(0)
        beats += 1

    assert len(await making) == 100
    assert beats >= 100


async def test_a_lot_without_points_needs_no_database() -> None:
    lot = await make_lot(LANE, [entry(1, batch_of(1), data=b"nonsense"), entry(2, batch_of(0))])

    assert (await stored(Database(lambda *_: error("XX000")).write, lot, backoff([]))).stored == 0
    with pytest.raises(ValueError, match="without points"):
        await lot.dead_letters([Refused(0, "", "")])


async def test_frames_that_are_none_are_dead_letters_whole_and_the_others_a_lot() -> None:
    good = batch_of(5)
    broken = bytearray(frame.encode(good))
    broken[-1] ^= 1
    entries = [
        entry(1, good),
        entry(2, good, data=bytes(broken)),
        entry(3, good, data=b""),
        entry(4, good, data=frame.encode(batch_of(5, kind=UPLOAD))),
        entry(5, good, points=4),
        entry(6, batch_of(3, flight="b")),
    ]

    lot = await make_lot(LANE, entries)

    assert lot.batch is not None
    assert len(lot.batch) == 8
    assert lot.entry_of_row.tolist() == [0] * 5 + [5] * 3
    assert [(letter.source.id, letter.points, letter.sqlstate) for letter in lot.unreadable] == [
        ("2-0", 5, UNREADABLE),
        ("3-0", 5, UNREADABLE),
        ("4-0", 5, UNREADABLE),
        ("5-0", 4, UNREADABLE),
    ]
    assert "checksum" in lot.unreadable[0].message
    assert "upload points, but waits in the lane of live points" in lot.unreadable[2].message
    assert all(letter.frame == letter.source.frame for letter in lot.unreadable)
