"""Limits and the Redis behind them: rates while it is away, and what is refused when its memory is nearly full."""

import time
from dataclasses import replace

from redis import Redis

from tests.integration.test_limits import limited, live
from tests.queue.servers import restartable, valkey
from tests.support.api import UPLOAD, problem
from tests.support.http import Client
from tests.support.points import track
from tests.support.sites import Site
from tests.support.until import until

MIB = 2**20


def test_rates_hold_while_redis_is_away_and_when_it_is_back(site: Site) -> None:
    """Alone a server counts for itself, and what it counted then is no debt afterwards."""
    with restartable(appendonly="yes", appendfsync="always") as redis:
        few = replace(limited(site, address_requests_per_second=5, burst_seconds=1), redis_url=redis.url)
        with few.serve() as server, server.client() as client:
            until(lambda: live(client).status == 429, "the burst is used up")
            redis.kill()
            five_a_second(client)
            redis.start()
            until(lambda: via(client) == "queue", "points go by Redis again")
            five_a_second(client)
            assert "Traceback" not in server.log


def five_a_second(client: Client) -> None:
    """For two seconds, or longer where the machine takes longer, no more than that and a burst are accepted, but some are."""
    accepted, began = 0, time.monotonic()

    def some_and_two_seconds() -> bool:
        nonlocal accepted
        accepted += live(client).status == 202
        return accepted >= 2 and time.monotonic() - began >= 2

    until(some_and_two_seconds, "points are accepted for two seconds")
    assert accepted <= 5 * (time.monotonic() - began) + 5 + 2


def via(client: Client) -> str | None:
    answer = live(client)
    return str(answer.json["via"]) if answer.status == 202 else None


def test_bulk_points_are_refused_while_the_memory_of_redis_is_nearly_full(site: Site) -> None:
    with valkey(appendonly="yes", appendfsync="always", maxmemory="64mb") as url, Redis.from_url(url) as redis:
        small = replace(limited(site, max_redis_memory_percent="60:"), redis_url=url)
        with small.serve() as server, server.client() as client:

            def bulk() -> int:
                return client.post(UPLOAD, {"flight_id": "f", "track_points": track(1)}).status

            assert bulk() == 202
            for _ in range(45):
                redis.rpush("filling", bytes(MIB))
            until(lambda: bulk() == 429, "bulk points are refused")
            answer = client.post(UPLOAD, {"flight_id": "f", "track_points": track(1)})
            assert "the memory of Redis is more than 60 % full" in problem(answer, 429)["detail"]
            assert live(client).status == 202
            assert client.get("/health").json["limits_met"]["max_redis_memory_percent"] >= 2
            redis.delete("filling")
            until(lambda: bulk() == 202, "they are taken again")
