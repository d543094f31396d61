"""A Redis that goes and comes back under a running worker."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from pointq.aio import Backoff
from pointq.queue.durability import Acknowledgement
from pointq.queue.producer import Producer
from tests.queue.servers import restartable
from tests.store.batches import batch_of, check_flights, count_in
from tests.support.clients import patient
from tests.work.crew import Crew, until

RESUMED_SECONDS = 5.0


def _noted(failures: list[object], begin: Callable[[object], None], why: object) -> None:
    failures.append(why)
    begin(why)


@pytest.mark.parametrize("kept", ["yes", "no"])
async def test_a_worker_goes_on_by_itself_soon_after_redis_is_back(
    crew: Crew, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Backoff()._most < RESUMED_SECONDS
    with restartable(appendonly=kept, appendfsync="always") as server:
        redis = patient(server.url)
        crew = replace(
            crew, redis=redis, redis_url=server.url, producer=Producer(redis, server.url, Acknowledgement()), prefix="own"
        )
        hand = crew.worker("live", points=100)
        failures: list[object] = []
        monkeypatch.setattr(hand.reader.outage, "begin", partial(_noted, failures, hand.reader.outage.begin))
        async with hand.running():
            await crew.put(*(batch_of(100, start=100 * i) for i in range(5)))
            await until(lambda: crew.done("live", 500), "the first points are stored")
            server.kill()
            await until(lambda: hand.reader.outage.backoff._next == hand.reader.outage.backoff._most, "it waits its longest")

            server.start()
            failures.clear()
            await crew.put(*(batch_of(100, start=100 * i) for i in range(5, 10)))
            await until(lambda: crew.done("live", 1_000), "all is stored, and the totals know of what was before")
            # one that was on its way; behind that it paused once more, however long a loaded machine took for all else
            assert len(failures) <= 1

        assert await count_in(crew.database) == 1_000
        await check_flights(crew.database)
        await redis.aclose()
