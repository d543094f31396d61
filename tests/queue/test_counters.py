"""Whatever happens in whatever order, the counters add up."""

import random

import pytest
from redis.asyncio import Redis

from pointq.queue.browse import STATES, Browser
from pointq.queue.consumer import Consumer, DeadLetter, Entry, Outcome, Retention
from pointq.queue.lanes import Lane
from pointq.queue.producer import Producer
from pointq.queue.removal import Mark, remove
from pointq.queue.shelves import Shelf, Shelves
from tests.queue.books import books, put, reclaim, take

STEPS = 80


class Workers:
    """Two workers that store, refuse, repeat, forget and take over as chance has it."""

    def __init__(self, chance: random.Random, consumers: list[Consumer], redis: Redis, lane: Lane) -> None:
        self._chance = chance
        self._redis = redis
        self._marks: list[Mark] = []
        self._consumers = consumers
        self._lane = lane
        self._seen: list[Entry] = []

    async def read(self) -> None:
        self._seen += await take(self._chance.choice(self._consumers), self._lane, self._chance.randint(1, 200))

    async def reclaim(self) -> None:
        self._seen += await reclaim(self._chance.choice(self._consumers), self._lane, self._chance.randint(1, 100))

    async def keep_alive(self) -> None:
        await self._chance.choice(self._consumers).keep_alive(self._lane, [entry.id for entry in self._seen[-5:]])

    async def complete(self) -> None:
        """Complete some of what was ever seen: much of it is not this worker's, or was completed before."""
        entries = list({entry.id: entry for entry in self._chance.choices(self._seen, k=4)}.values()) if self._seen else []
        dead = [
            DeadLetter(entry, b"bad", self._chance.randint(1, entry.points), "22003", "out of range")
            for entry in entries
            if self._chance.random() < 0.2
        ]
        left = sum(entry.points for entry in entries) - sum(letter.points for letter in dead)
        stored = self._chance.randint(0, left)
        await self._chance.choice(self._consumers).complete(self._lane, Outcome(entries, stored, left - stored, dead))

    async def choose(self) -> None:
        """See what there is, for a purge that comes later."""
        found = Browser(self._redis, "").walk(self._lane, STATES, frames=False)
        self._marks = [Mark(s.id, s.points, s.state, s.holder) async for s in found]

    async def purge(self) -> None:
        """Remove some of what was seen: much of it was taken or completed since."""
        chosen = [mark for mark in self._marks if self._chance.random() < 0.2]
        for dead in (False, True):
            part = [mark for mark in chosen if (mark.state == "dead") == dead]
            force = self._chance.random() < 0.5
            async for _ in remove(self._redis, "", self._lane, part, dead=dead, force=force):
                pass

    async def put_back(self, shelves: Shelves, shelf: Shelf) -> int:
        """Put back some of what lies there, and something that does not; how many points."""
        found = [lying async for page in shelves.walk(self._lane, shelf, "-", "+") for lying in page]
        chosen = self._chance.sample(found, self._chance.randint(0, len(found)))
        new = await shelves.put_back(self._lane, shelf, [*(lying.id for lying in chosen), "1-1"])
        assert [bool(entry_id) for entry_id in new] == [True] * len(chosen) + [False]
        return sum(lying.points for lying in chosen)

    async def leave(self) -> None:
        await self._chance.choice(self._consumers).leave(self._lane, -1)


@pytest.mark.parametrize("seed", range(10))
async def test_accepted_is_stored_and_duplicate_and_dead_and_purged_and_waiting(
    seed: int, producer: Producer, consumer: Consumer, other: Consumer, redis: Redis, lane: Lane
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    # one of them keeps what is stored, the other does not: as while a setting is changed
    consumer = Consumer(redis, "", consumer.name, retention=Retention(3600, 50))
    workers, shelves = Workers(chance, [consumer, other], redis, lane), Shelves(redis, "")
    accepted = 0
    for _ in range(STEPS):
        if chance.random() < 0.3:
            counts = [chance.randint(1, 50) for _ in range(chance.randint(1, 5))]
            accepted += sum(counts)
            await put(producer, lane, *counts)
        elif chance.random() < 0.2:
            await workers.put_back(shelves, "dead")
            accepted += await workers.put_back(shelves, "retained")
        else:
            steps = (
                workers.read,
                workers.reclaim,
                workers.keep_alive,
                workers.complete,
                workers.leave,
                workers.choose,
                workers.purge,
            )
            await chance.choice(steps)()
        assert (await books(redis, lane)).accepted_points == accepted

    while await take(other, lane) or await consumer.waiting(lane):
        left = await reclaim(other, lane)
        await other.complete(lane, Outcome(left, sum(entry.points for entry in left), 0))
    found = await books(redis, lane)
    assert found.stored_points + found.duplicate_points + found.dead_points + found.purged_points == accepted
