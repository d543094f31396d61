"""A client, two workers and a lane of the test's own on a real server."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from pointq.points.kinds import LIVE
from pointq.queue.consumer import Consumer
from pointq.queue.durability import Acknowledgement
from pointq.queue.lanes import Lane
from pointq.queue.producer import Producer
from tests.support.clients import patient


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = patient(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def lane(prefix: str) -> Lane:
    return Lane.of(LIVE, prefix=prefix)


@pytest.fixture
def producer(redis: Redis, redis_url: str) -> Producer:
    return Producer(redis, redis_url, Acknowledgement())


@pytest.fixture
def consumer(redis: Redis, redis_url: str) -> Consumer:
    return Consumer(redis, redis_url, "one")


@pytest.fixture
def other(redis: Redis, redis_url: str) -> Consumer:
    return Consumer(redis, redis_url, "two")
