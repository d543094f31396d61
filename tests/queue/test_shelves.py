"""Dead letters and stored batches that are kept: what lies there, how it gets back, how it is bounded."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from pointq.errors import RedisError
from pointq.points.kinds import LIVE
from pointq.queue.consumer import Consumer, DeadLetter, Outcome, Retention
from pointq.queue.durability import Acknowledgement
from pointq.queue.lanes import Lane
from pointq.queue.measure import Measure
from pointq.queue.producer import Append, History, Producer
from pointq.queue.shelves import Shelves
from tests.queue.books import books, put, stored, take
from tests.queue.servers import valkey
from tests.support.clients import patient


@pytest.fixture
def shelves(redis: Redis) -> Shelves:
    return Shelves(redis, "")


@pytest.fixture
def keeper(redis: Redis) -> Consumer:
    """A worker that keeps what it stores."""
    return Consumer(redis, "", "keeper", retention=Retention(3600, 1_000))


async def bury(consumer: Consumer, lane: Lane, sqlstate: str, message: str) -> None:
    """Let the database refuse everything that waits."""
    entries = await take(consumer, lane)
    dead = [DeadLetter(entry, entry.frame, entry.points, sqlstate, message) for entry in entries]
    await consumer.complete(lane, Outcome(entries, 0, 0, dead))


async def lying(redis: Redis, key: str) -> list[tuple[str, dict[str, str]]]:
    raw: Any = await redis.xrange(key)
    return [(i.decode(), {name.decode(): value.decode() for name, value in fields.items()}) for i, fields in raw]


class TestDeadLetters:
    async def test_one_goes_back_and_the_others_stay(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3, 4, 5)
        await bury(consumer, lane, "22003", "out of range")
        letters = await lying(redis, lane.dead)

        (new,) = await shelves.put_back(lane, "dead", [letters[1][0]])

        found = await books(redis, lane)
        assert (found.accepted_points, found.dead_points, found.dead_batches) == (12, 8, 2)
        assert (found.ready_points, found.ready_batches) == (4, 1)
        (entry,) = await take(consumer, lane)
        assert (entry.id, entry.points, entry.frame) == (new, 4, b"frame")

    async def test_twice_is_once(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        await bury(consumer, lane, "22003", "out of range")
        ((letter, _),) = await lying(redis, lane.dead)

        answers = await asyncio.gather(*(shelves.put_back(lane, "dead", [letter, letter]) for _ in range(5)))

        assert sorted(bool(entry) for answer in answers for entry in answer) == [False] * 9 + [True]
        assert (await books(redis, lane)).ready_batches == 1

    async def test_what_dies_again_has_its_count_and_its_former_failures(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        (source,) = await put(producer, lane, 1)
        said = ["too fast", 'a "quoted" \\ text\nof lines, ä🪂', "third"]
        for number, message in enumerate(said):
            await bury(consumer, lane, f"2200{number}", message)
            if message != said[-1]:
                ((letter, _),) = await lying(redis, lane.dead)
                await shelves.put_back(lane, "dead", [letter])

        ((_, letter_fields),) = await lying(redis, lane.dead)

        assert (letter_fields["count"], letter_fields["sqlstate"], letter_fields["message"]) == ("3", "22002", "third")
        former = orjson.loads(letter_fields["failures"])
        assert [(each["sqlstate"], each["message"]) for each in former] == [("22000", said[0]), ("22001", said[1])]
        assert float(former[0]["at"]) < float(former[1]["at"]) < float(letter_fields["last_seen"])
        assert float(letter_fields["first_seen"]) == int(source.partition("-")[0]) / 1000, "when it was accepted"

    async def test_the_history_is_bounded_and_the_count_exact(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 1)
        for number in range(25):
            await bury(consumer, lane, "22003", f"number {number}")
            ((letter, _),) = await lying(redis, lane.dead)
            await shelves.put_back(lane, "dead", [letter])
        await bury(consumer, lane, "22003", "last")

        ((_, fields),) = await lying(redis, lane.dead)

        assert fields["count"] == "26"
        assert [each["message"] for each in orjson.loads(fields["failures"])] == [f"number {i}" for i in range(5, 25)]

    async def test_a_letter_that_comes_from_a_file_goes_on_with_its_history(
        self, producer: Producer, consumer: Consumer, redis: Redis, lane: Lane
    ) -> None:
        failures = orjson.dumps([{"at": "2.5", "sqlstate": "22003", "message": "too fast"}])
        await producer.enqueue([Append(lane, b"frame", 1, history=History("1.5", 1, failures))])

        await bury(consumer, lane, "22003", "too fast again")

        ((_, fields),) = await lying(redis, lane.dead)
        assert (fields["count"], fields["first_seen"], fields["failures"]) == ("2", "1.5", failures.decode())
        await books(redis, lane)

    async def test_a_part_of_a_batch_that_was_put_back_is_told_apart(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        """A whole frame died, then was mended but for a point: the point has the frame's history."""
        await put(producer, lane, 5)
        await bury(consumer, lane, "frame", "unreadable")
        ((letter, _),) = await lying(redis, lane.dead)
        await shelves.put_back(lane, "dead", [letter])
        (entry,) = await take(consumer, lane)

        await consumer.complete(lane, Outcome([entry], 4, 0, [DeadLetter(entry, b"one", 1, "22003", "too fast")]))

        ((_, fields),) = await lying(redis, lane.dead)
        assert (fields["n"], fields["count"], orjson.loads(fields["failures"])[0]["sqlstate"]) == ("1", "2", "frame")
        assert (await books(redis, lane)).stored_points == 4

    async def test_one_that_was_added_by_hand_stays(self, shelves: Shelves, redis: Redis, lane: Lane) -> None:
        added: Any = await redis.xadd(lane.dead, {"hello": "world"})

        assert await shelves.put_back(lane, "dead", [added.decode()]) == [""]

        assert await redis.xlen(lane.dead) == 1

    async def test_walking_shows_all_but_the_frames(
        self, producer: Producer, consumer: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, *range(1, 452))
        while await consumer.waiting(lane):
            await bury(consumer, lane, "22003", "no")

        pages = [page async for page in shelves.walk(lane, "dead", "-", await shelves.last(lane, "dead"))]

        assert [each.points for page in pages for each in page] == list(range(1, 452))
        assert max(map(len, pages)) <= 200
        assert {"f"} & pages[0][0].fields.keys() == set()
        assert await redis.xlen(lane.dead) == 451


class TestRetained:
    async def test_what_is_stored_is_kept_and_does_not_wait(
        self, producer: Producer, keeper: Consumer, redis: Redis, lane: Lane
    ) -> None:
        ids = await put(producer, lane, 3, 4)
        entries = await take(keeper, lane)

        await keeper.complete(lane, stored(entries))

        assert [fields for _, fields in await lying(redis, lane.retained)] == [
            {"n": "3", "f": "frame", "id": ids[0]},
            {"n": "4", "f": "frame", "id": ids[1]},
        ]
        found = await books(redis, lane)
        assert (found.stored_points, found.ready_points, found.pending_points) == (7, 0, 0)
        assert await keeper.waiting(lane) == 0

    async def test_nothing_is_kept_unless_asked_for(
        self, producer: Producer, consumer: Consumer, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        await consumer.complete(lane, stored(await take(consumer, lane)))

        assert await redis.exists(lane.retained) == 0
        assert await redis.hget(lane.counters, "retained_from") is None

    async def test_a_batch_that_was_refused_as_a_whole_is_not_kept(
        self, producer: Producer, keeper: Consumer, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        await bury(keeper, lane, "frame", "unreadable")

        assert await redis.xlen(lane.retained) == 0
        await books(redis, lane)

    async def test_what_was_stored_before_anything_was_kept_is_missing(
        self, producer: Producer, consumer: Consumer, keeper: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        for worker, known in ((consumer, None), (keeper, 2_000), (keeper, 2_000)):
            await put(producer, lane, 3)
            if known:
                await redis.hset(lane.counters, "completed_at", "1")
            await worker.complete(lane, stored(await take(worker, lane)))
            assert (await shelves.kept(lane)).whole_from == known

    async def test_where_nothing_was_ever_stored_before_nothing_is_missing(
        self, producer: Producer, keeper: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        await keeper.complete(lane, stored(await take(keeper, lane)))

        assert (await shelves.kept(lane)).whole_from == 0
        await redis.hset(lane.counters, "lost_at", "7")
        assert (await shelves.kept(lane)).whole_from == 7_000, "but with the server's data"

    async def test_what_someone_else_completed_is_kept_once(
        self, producer: Producer, keeper: Consumer, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        entries = await take(keeper, lane)

        assert [await keeper.complete(lane, stored(entries)) for _ in range(3)] == [1, 0, 0]

        assert await redis.xlen(lane.retained) == 1

    async def test_the_oldest_go_when_it_is_too_much(
        self, producer: Producer, redis: Redis, shelves: Shelves, lane: Lane
    ) -> None:
        keeper = Consumer(redis, "", "keeper", retention=Retention(3600, 23))
        for points in range(1, 8):
            await put(producer, lane, points)
            await keeper.complete(lane, stored(await take(keeper, lane)))

        kept = await lying(redis, lane.retained)

        assert [fields["n"] for _, fields in kept] == ["4", "5", "6", "7"], "4 of 5 bytes fit into 23"
        whole_from = (await shelves.kept(lane)).whole_from
        assert whole_from is not None
        assert whole_from <= int(kept[0][0].partition("-")[0]) + 1
        await books(redis, lane)

    async def test_the_oldest_go_when_they_are_old(self, producer: Producer, redis: Redis, lane: Lane) -> None:
        await redis.xadd(lane.retained, {"n": 7, "f": "old", "id": "1-1"}, id="1000-0")
        await redis.hset(lane.counters, mapping={"retained_batches": 1, "retained_points": 7, "retained_bytes": 3})
        keeper = Consumer(redis, "", "keeper", retention=Retention(60, 1_000))
        await put(producer, lane, 3)

        await keeper.complete(lane, stored(await take(keeper, lane)))

        assert [fields["n"] for _, fields in await lying(redis, lane.retained)] == ["3"]
        await books(redis, lane)

    async def test_it_goes_back_and_is_kept_again_when_it_is_stored_again(
        self, producer: Producer, keeper: Consumer, shelves: Shelves, redis: Redis, lane: Lane
    ) -> None:
        await put(producer, lane, 3)
        await keeper.complete(lane, stored(await take(keeper, lane)))
        ((kept, _),) = await lying(redis, lane.retained)

        (new,) = await shelves.put_back(lane, "retained", [kept])

        found = await books(redis, lane)
        assert (found.accepted_points, found.stored_points, found.ready_points) == (6, 3, 3)
        assert await lying(redis, lane.retained) == []
        entries = await take(keeper, lane)
        await keeper.complete(lane, stored(entries, duplicates=3))
        assert (await books(redis, lane)).duplicate_points == 3
        assert [fields["id"] for _, fields in await lying(redis, lane.retained)] == [new]


class TestFullServer:
    LANE = Lane.of(LIVE)

    @pytest.mark.parametrize("shelf", ["dead", "retained"])
    async def test_everything_stays_where_it_is(self, shelf: Any) -> None:
        with valkey(**{"maxmemory-policy": "noeviction"}) as url:
            redis = patient(url)
            keeper = Consumer(redis, "", "keeper", retention=Retention(3600, 1_000))
            await put(Producer(redis, "", Acknowledgement()), self.LANE, 3)
            entries = await take(keeper, self.LANE)
            dead = [DeadLetter(entry, b"bad", 3, "22003", "no") for entry in entries] if shelf == "dead" else []
            await keeper.complete(self.LANE, Outcome(entries, 0 if dead else 3, 0, dead))
            before = _at_rest(await books(redis, self.LANE))
            await fill(redis)

            letter = await Shelves(redis, "").last(self.LANE, shelf)
            with pytest.raises(RedisError, match="is full") as refused:
                await Shelves(redis, "").put_back(self.LANE, shelf, [letter])

            assert refused.value.hint is not None
            assert _at_rest(await books(redis, self.LANE)) == before
            await redis.config_set("maxmemory", "0")
            assert all(await Shelves(redis, "").put_back(self.LANE, shelf, [letter]))
            assert (await books(redis, self.LANE)).ready_points == 3
            await redis.aclose()

    async def test_storing_makes_room_although_batches_are_kept(self) -> None:
        with valkey(**{"maxmemory-policy": "noeviction"}) as url:
            redis = patient(url)
            keeper = Consumer(redis, "", "keeper", retention=Retention(3600, 2**30))
            producer = Producer(redis, "", Acknowledgement())
            await producer.enqueue([Append(self.LANE, b"x" * 100_000, 10) for _ in range(20)])
            await keeper.complete(self.LANE, stored(await take(keeper, self.LANE, 100)))
            await fill(redis)

            await keeper.complete(self.LANE, stored(await take(keeper, self.LANE)))

            assert await redis.xlen(self.LANE.retained) == 0
            assert (await books(redis, self.LANE)).stored_points == 200
            await redis.aclose()


def _at_rest(found: Measure) -> Measure:
    """The same but for what fades by itself."""
    return replace(found, in_rate=0.0, out_rate=0.0)


async def fill(redis: Redis) -> None:
    """Let the server have less than it uses."""
    await redis.config_set("maxmemory", "1mb")
    with pytest.raises(OutOfMemoryError):
        await redis.set("no", "room")
