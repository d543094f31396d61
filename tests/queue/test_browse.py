"""Looking at a lane: everything is seen once, in its state, and nothing is changed by it."""

from typing import Any

import pytest
from redis.asyncio import Redis

from pointq.queue import browse
from pointq.queue.browse import STATES, Browser, Seen, State
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.producer import Append, Producer
from tests.queue.books import put, take


@pytest.fixture
def browser(redis: Redis, redis_url: str) -> Browser:
    return Browser(redis, redis_url)


async def seen_in(browser: Browser, lane: Lane, *states: State, frames: bool = True) -> list[Seen]:
    return [seen async for seen in browser.walk(lane, states or STATES, frames=frames)]


async def bury(consumer: Consumer, lane: Lane, sqlstate: str = "22003", message: str = "out of range") -> None:
    (entry,) = await take(consumer, lane, 1)
    await consumer.complete(lane, Outcome([entry], entry.points - 1, 0, [DeadLetter(entry, b"bad", 1, sqlstate, message)]))


async def everything(redis: Redis, lane: Lane) -> Any:
    """Return all that looking might change; how long nobody touched an entry is the server's clock."""
    pending = await redis.xpending_range(lane.stream, GROUP, "-", "+", 1_000)
    groups: Any = await redis.xinfo_groups(lane.stream)
    held = [(each["message_id"], each["consumer"], each["times_delivered"]) for each in pending]
    counters: Any = await redis.hgetall(lane.counters)
    return await redis.xrange(lane.stream), await redis.xrange(lane.dead), held, groups, counters


async def test_each_batch_is_seen_once_in_its_state_and_nothing_changes(
    producer: Producer, consumer: Consumer, browser: Browser, redis: Redis, lane: Lane
) -> None:
    await put(producer, lane, 2)
    await bury(consumer, lane)
    ids = await put(producer, lane, 3, 4, 5)
    await take(consumer, lane, 1)
    before = await everything(redis, lane)

    found = await seen_in(browser, lane)

    assert [(s.state, s.id, s.points, s.holder, s.deliveries) for s in found[:3]] == [
        ("pending", ids[0], 3, "one", 1),
        ("ready", ids[1], 4, None, 0),
        ("ready", ids[2], 5, None, 0),
    ]
    assert (found[3].state, found[3].points, found[3].frame, found[3].deliveries) == ("dead", 1, b"bad", 1)
    assert (found[3].text("sqlstate"), found[3].text("message")) == ("22003", "out of range")
    assert [s.frame for s in found[:3]] == [b"frame"] * 3
    assert found[0].idle_seconds is not None
    assert all(0 <= s.age < 60 for s in found)
    assert await everything(redis, lane) == before


@pytest.mark.parametrize("state", STATES)
async def test_one_state_alone(state: State, producer: Producer, consumer: Consumer, browser: Browser, lane: Lane) -> None:
    await put(producer, lane, 2)
    await bury(consumer, lane)
    await put(producer, lane, 3, 4)
    await take(consumer, lane, 1)

    assert [seen.state for seen in await seen_in(browser, lane, state)] == [state]


async def test_a_lane_that_never_was(browser: Browser, redis: Redis, lane: Lane) -> None:
    assert await seen_in(browser, lane) == []
    assert not await redis.exists(lane.stream)


async def test_a_lane_that_no_worker_ever_read(producer: Producer, browser: Browser, lane: Lane) -> None:
    await put(producer, lane, 3, 4)

    assert [seen.state for seen in await seen_in(browser, lane)] == ["ready", "ready"]


async def test_many_pages_and_without_frames(
    producer: Producer, consumer: Consumer, browser: Browser, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "_PAGE_ENTRIES", 7)
    ids = await put(producer, lane, *range(1, 31))
    await take(consumer, lane, 50)

    found = await seen_in(browser, lane, frames=False)

    assert [seen.id for seen in found] == ids
    assert {seen.frame for seen in found} == {b""}
    assert [seen.points for seen in found] == list(range(1, 31))


async def test_a_page_is_bounded_in_bytes(producer: Producer, browser: Browser, redis: Redis, lane: Lane) -> None:
    await producer.enqueue([Append(lane, bytes(1024 * 1024), 1)] * 30)
    await browser.spans(lane)
    calls = await _calls(redis)

    assert len(await seen_in(browser, lane)) == 30

    # eight of a mebibyte each pass the bound; two find the spans, and one each their end
    assert await _calls(redis) - calls == 4 + 2 + 3


async def _calls(redis: Redis) -> int:
    stats: Any = await redis.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"]) if "cmdstat_evalsha" in stats else 0


async def test_what_comes_in_meanwhile_is_left_out(producer: Producer, browser: Browser, lane: Lane) -> None:
    ids = await put(producer, lane, 1, 2)

    found = []
    async for seen in browser.walk(lane, ("ready",)):
        found.append(seen.id)
        await put(producer, lane, 9)

    assert found == ids


async def test_what_a_worker_takes_meanwhile_is_seen_where_it_is_then(
    producer: Producer, consumer: Consumer, browser: Browser, lane: Lane
) -> None:
    await put(producer, lane, 1)
    spans = await browser.spans(lane)
    await take(consumer, lane)

    found = [seen async for seen in browser.between(lane, spans["ready"])]

    assert [(seen.state, seen.holder) for seen in found] == [("pending", "one")]


async def test_a_batch_that_was_released_by_hand_is_nobodys(
    producer: Producer, consumer: Consumer, browser: Browser, redis: Redis, lane: Lane
) -> None:
    ids = await put(producer, lane, 3)
    await take(consumer, lane)
    await redis.xack(lane.stream, GROUP, *ids)

    (found,) = await seen_in(browser, lane)

    assert (found.state, found.holder, found.idle_seconds) == ("pending", None, None)


async def test_entries_of_another_form(browser: Browser, redis: Redis, lane: Lane) -> None:
    await redis.xadd(lane.stream, {"hello": "4.5"})
    await redis.xadd(lane.dead, {"hello": "4.5"})

    found = await seen_in(browser, lane)

    assert [(seen.state, seen.points, seen.frame, seen.text("message")) for seen in found] == [
        ("ready", 0, b"", None),
        ("dead", 0, b"", None),
    ]
