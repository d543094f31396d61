"""A Redis that goes and comes back under a running worker."""

import time
from dataclasses import replace

import pytest

from pointq.queue.durability import Acknowledgement
from pointq.queue.producer import Producer
from tests.queue.servers import restartable
from tests.store.batches import batch_of, check_flights, count_in
from tests.support.clients import patient
from tests.work.crew import Crew, until

RESUMED_SECONDS = 5.0


@pytest.mark.parametrize("kept", ["yes", "no"])
async def test_a_worker_goes_on_by_itself_soon_after_redis_is_back(crew: Crew, kept: str) -> None:
    with restartable(appendonly=kept, appendfsync="always") as server:
        redis = patient(server.url)
        crew = replace(
            crew, redis=redis, redis_url=server.url, producer=Producer(redis, server.url, Acknowledgement()), prefix="own"
        )
        hand = crew.worker("live", points=100)
        async with hand.running():
            await crew.put(*(batch_of(100, start=100 * i) for i in range(5)))
            await until(lambda: crew.done("live", 500), "the first points are stored")
            server.kill()
            await until(lambda: hand.reader.outage.backoff._next == hand.reader.outage.backoff._most, "it waits its longest")

            server.start()
            began = time.monotonic()
            await crew.put(*(batch_of(100, start=100 * i) for i in range(5, 10)))
            await until(lambda: crew.done("live", 1_000), "all is stored, and the totals know of what was before")
            assert time.monotonic() - began < RESUMED_SECONDS

        assert await count_in(crew.database) == 1_000
        await check_flights(crew.database)
        await redis.aclose()
