"""A client of Redis that swallows a cancellation, as the real one does now and then, holds nobody up."""

import asyncio

import pytest

from pointq.errors import RedisError
from pointq.queue.consumer import Entry, Outcome
from pointq.queue.lanes import Lane
from tests.store.batches import batch_of, count_in
from tests.support.until import PATIENCE_SECONDS
from tests.work.crew import Crew, Hand, until


class Deaf:
    """Waits in place of an answer; a cancellation becomes an error."""

    def __init__(self) -> None:
        self.waits = asyncio.Event()

    async def wait(self) -> None:
        self.waits.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RedisError("the connection was closed") from None


def deaf_reading(hand: Hand, monkeypatch: pytest.MonkeyPatch, *, after: int) -> Deaf:
    """So many batches are read, and the next read hangs."""
    deaf = Deaf()
    read, reads = hand.consumer.read, iter(range(after))

    async def hanging(lane: Lane, points: int) -> tuple[list[Entry], str]:
        if next(reads, None) is None:
            await deaf.wait()
        return await read(lane, points)

    monkeypatch.setattr(hand.consumer, "read", hanging)
    return deaf


async def ends(task: asyncio.Task[None]) -> None:
    """Fail when it does not end; a timeout would cancel it once more."""
    done, _ = await asyncio.wait((task,), timeout=PATIENCE_SECONDS)
    assert done


async def test_a_worker_with_its_hands_full_ends(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    await crew.put(*(batch_of(100, start=100 * i) for i in range(5)))
    hand = crew.worker("live", points=100)
    # one is being stored, one waits, and the reading half looks for a third
    deaf = deaf_reading(hand, monkeypatch, after=2)
    async with crew.database.transaction():
        await crew.database.execute("LOCK TABLE live_track_points")
        task = asyncio.create_task(hand.worker.run())
        await deaf.waits.wait()
        task.cancel()
        await ends(task)

    assert task.cancelled()
    found = await crew.measure("live")
    assert (found.stored_points, found.ready_points + found.pending_points) == (0, 500)


async def test_who_is_told_to_give_up_ends_though_it_hears_no_cancellation(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    await crew.put(*(batch_of(100, start=100 * i) for i in range(5)))
    hand = crew.worker("live", points=100)
    deaf = Deaf()

    async def hanging(_: Lane, outcome: Outcome) -> int:
        await deaf.wait()
        return len(outcome.entries)

    async def two_are_stored() -> bool:
        return hand.worker.storing is None and hand.worker._next.full() and await count_in(crew.database) == 200

    monkeypatch.setattr(hand.consumer, "complete", hanging)
    task = asyncio.create_task(hand.worker.run())
    await deaf.waits.wait()
    await until(two_are_stored, "the next lot is stored, and another waits")
    hand.worker.give_up()
    task.cancel()
    await ends(task)

    assert not task.cancelled()
    assert task.cancelling()
    assert (await crew.measure("live")).stored_points == 0
    assert await count_in(crew.database) == hand.worker.figures().stored == 200
