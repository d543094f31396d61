"""What an acknowledged batch is worth, on servers that keep their data in different ways."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pointq.errors import RedisError
from pointq.points.kinds import LIVE
from pointq.queue.durability import Acknowledgement, Persistence, acknowledgement, persistence
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer, open_producer
from tests.queue.servers import valkey
from tests.support.clients import patient

LANE = Lane.of(LIVE)
ALWAYS = Persistence("redis", "7.0.15", append_only=True, fsync="always")
EVERY_SECOND = Persistence("redis", "7.2.4", append_only=True, fsync="everysec")


@pytest.mark.parametrize(
    ("server", "min_replicas", "expected"),
    [
        (ALWAYS, 0, Acknowledgement()),
        (EVERY_SECOND, 0, Acknowledgement(local=1)),
        (replace(EVERY_SECOND, fsync=None), 0, Acknowledgement(local=1)),
        (replace(EVERY_SECOND, fsync="no"), 0, Acknowledgement(local=1)),
        (replace(EVERY_SECOND, version="10.0"), 2, Acknowledgement(local=1, replicas=2)),
        (replace(ALWAYS, version="7.2.0"), 2, Acknowledgement(local=0, replicas=2)),
    ],
)
def test_what_must_be_waited_for(server: Persistence, min_replicas: int, expected: Acknowledgement) -> None:
    assert acknowledgement(server, "fsync", min_replicas) == expected
    assert expected.waits == bool(expected.local or expected.replicas)


@pytest.mark.parametrize(
    ("server", "min_replicas", "why"),
    [
        (replace(ALWAYS, append_only=False), 0, "keeps no append-only file"),
        (replace(EVERY_SECOND, version="7.0.15"), 0, "appendfsync everysec and no WAITAOF"),
        (replace(EVERY_SECOND, version="7.0.15", fsync=None), 0, "appendfsync unknown and no WAITAOF"),
        (ALWAYS, 1, "no WAITAOF"),
    ],
)
def test_a_server_that_can_promise_nothing(server: Persistence, min_replicas: int, why: str) -> None:
    with pytest.raises(RedisError, match=why) as caught:
        acknowledgement(server, "fsync", min_replicas)

    assert "appendfsync always" in str(caught.value.hint)
    assert 'durability = "memory"' in str(caught.value.hint)
    assert acknowledgement(server, "memory", min_replicas) == Acknowledgement()


@pytest.fixture(scope="module")
def every_second() -> Iterator[str]:
    with valkey(appendonly="yes", appendfsync="everysec") as url:
        yield url


async def test_the_shared_server_syncs_before_it_answers(redis_url: str) -> None:
    redis = patient(redis_url)
    found = await persistence(redis)
    await redis.aclose()

    assert (found.engine, found.append_only, found.fsync, found.summary) == ("valkey", True, "always", "aof always")
    assert not acknowledgement(found, "fsync").waits


async def test_with_everysec_the_producer_waits_for_the_disk(every_second: str) -> None:
    redis = patient(every_second)
    producer = await open_producer(redis, every_second, "fsync")

    ids = await producer.enqueue([Append(LANE, b"one", 1), Append(LANE, b"two", 2)])

    assert len(ids) == 2
    assert await producer.remaining(LANE, ids) == 2
    assert (await redis.info("commandstats"))["cmdstat_waitaof"]["calls"] >= 1
    await redis.aclose()


async def test_a_batch_that_too_few_replicas_have_is_not_durable(every_second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointq.queue.producer._WAIT_MS", 1_000)
    redis = patient(every_second)
    producer = await open_producer(redis, every_second, "fsync", min_replicas=1)

    with pytest.raises(RedisError, match="not durable: 1 of 1 local and 0 of 1 replicas"):
        await producer.enqueue([Append(LANE, b"one", 1)])
    await redis.aclose()


async def test_without_an_append_only_file_only_memory_is_possible(caplog: pytest.LogCaptureFixture) -> None:
    with valkey(appendonly="no") as url:
        redis = patient(url)
        with pytest.raises(RedisError, match="keeps no append-only file"):
            await open_producer(redis, url, "fsync")
        with caplog.at_level(logging.WARNING, "pointq.queue"):
            producer = await open_producer(redis, url, "memory")
        assert isinstance(producer, Producer)
        assert "durability is memory" in caplog.text
        assert (await persistence(redis)).summary == "none"
        await redis.aclose()
