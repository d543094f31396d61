"""The list of workers."""

from dataclasses import asdict, replace

import orjson
import pytest
from redis.asyncio import Redis

from pointq.queue.heartbeats import FORGOTTEN_SECONDS, Heartbeat, Heartbeats

BEAT = Heartbeat("b", "host", 7, (1, 2), ("live", "upload"), 12.5, 99, "running", 0.0)


async def test_the_list_has_the_last_word_of_each(redis: Redis, redis_url: str, prefix: str) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    now = await beats.now()
    latest = replace(BEAT, at=now, state="paused")
    for beat in (replace(BEAT, at=now - 1), latest, replace(BEAT, id="a", at=now)):
        await beats.beat(beat)

    assert await beats.read() == [replace(BEAT, id="a", at=now), latest]

    await beats.remove("a")
    assert await beats.read() == [latest]


async def test_who_said_nothing_for_long_is_dropped(redis: Redis, redis_url: str, prefix: str) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    await beats.beat(replace(BEAT, at=await beats.now() - FORGOTTEN_SECONDS - 1))

    assert await beats.read() == []
    assert await redis.exists(f"{prefix}:{{workers}}:heartbeats") == 0


async def test_a_newer_version_may_say_more(redis: Redis, redis_url: str, prefix: str) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    beat = replace(BEAT, at=await beats.now())
    await redis.hset(f"{prefix}:{{workers}}:heartbeats", beat.id, orjson.dumps(asdict(beat) | {"mood": "good"}).decode())

    assert await beats.read() == [beat]


async def test_the_session_of_a_worker_comes_over(redis: Redis, redis_url: str, prefix: str) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    beat = replace(BEAT, at=await beats.now(), session=(4_711, 1_750_000_000_123_456))
    await beats.beat(beat)

    assert await beats.read() == [beat]


@pytest.mark.parametrize("session", [None, {"session": None}, {"session": "x"}, {"session": [1]}, {"session": [1, "2"]}])
async def test_an_older_version_says_less_and_another_says_it_otherwise(
    redis: Redis, redis_url: str, prefix: str, session: dict[str, object] | None
) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    beat = replace(BEAT, at=await beats.now())
    fields = asdict(beat)
    del fields["session"]
    await redis.hset(f"{prefix}:{{workers}}:heartbeats", beat.id, orjson.dumps(fields | (session or {})).decode())

    assert await beats.read() == [beat]


async def test_what_a_worker_of_an_older_version_takes_is_all_of_its_priorities(
    redis: Redis, redis_url: str, prefix: str
) -> None:
    beats = Heartbeats(redis, redis_url, prefix)
    fields = asdict(replace(BEAT, at=await beats.now()))
    del fields["kinds"]
    await redis.hset(f"{prefix}:{{workers}}:heartbeats", BEAT.id, orjson.dumps(fields).decode())

    assert [beat.kinds for beat in await beats.read()] == [("live", "upload", "scoring")]
