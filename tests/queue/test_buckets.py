"""Token buckets in Redis: all servers together."""

import pytest
from redis.asyncio import Redis

from pointq.queue.buckets import SharedBuckets, Taken


async def test_what_servers_took_adds_up_and_is_forgotten_when_paid(redis: Redis, redis_url: str, prefix: str) -> None:
    one, other = SharedBuckets(redis, redis_url, prefix), SharedBuckets(redis, redis_url, prefix)
    assert await one.settle([Taken("a", 30, 0.1, 100), Taken("b", 1, 0.1, 10)]) == pytest.approx([70, 9], abs=0.1)
    assert await other.settle([Taken("a", 100, 0.1, 100)]) == pytest.approx([-30], abs=0.2)
    key = f"{prefix}:{{limits}}:a"
    assert 1_290_000 < await redis.pttl(key) <= 1_300_000
    assert await one.settle([Taken("c", 1, 1000, 1)]) == pytest.approx([0], abs=0.1)
