"""The latency of live points while a backlog of uploads is stored: from the POST to the committed row."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import orjson

from pointq.errors import WaitTimeout
from pointq.ops.bench.figures import Figure, Target, measured, percentile
from pointq.ops.bench.lanes import Watch
from pointq.ops.bench.load import accepted, closed_loop, request
from pointq.ops.bench.processes import served, worker, worker_pid
from pointq.ops.bench.rounds import Stage
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, UPLOAD

_EVERY_SECONDS = 0.02
"""Between two posts."""
_LOOK_SECONDS = 0.01
"""Between two looks into the table."""
_PATIENCE_SECONDS = 30.0
_AT_LEAST = 20
"""Posts, where the backlog is gone before."""


@dataclass(slots=True)
class _Posts:
    """Posts by flight, each its own, and how long each took to become a row."""

    sent: dict[UUID, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def seen(self, flights: Sequence[UUID], now: float) -> None:
        """Those flights are in the table."""
        self.seconds += [now - self.sent.pop(flight) for flight in flights]


async def under_backlog(stage: Stage, points: int) -> Figure:
    """Post one live point after the other while one worker drains so many upload points that wait already."""
    posts = _Posts()
    watch = Watch(stage, stage.scratch.lane(UPLOAD), points)
    async with served(stage) as server, worker(stage):
        await worker_pid(stage)
        looking = asyncio.create_task(_look(stage, posts))
        try:
            await _post_all(server.url, posts, watch)
            await asyncio.wait_for(_all_seen(posts, looking), _PATIENCE_SECONDS)
        except TimeoutError as exc:
            raise WaitTimeout(f"{len(posts.sent)} live points are no rows after {_PATIENCE_SECONDS:g} s") from exc
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
    return _figure(posts, points)


async def _post_all(url: str, posts: _Posts, watch: Watch) -> None:
    """One every 20 ms, whether or not the one before is answered, until the backlog is gone."""
    clock = time.perf_counter
    started = clock()
    asked: list[asyncio.Task[None]] = []
    try:
        while len(asked) < _AT_LEAST or not await watch.look():
            due = started + len(asked) * _EVERY_SECONDS
            await asyncio.sleep(max(due - clock(), 0))
            flight = Flight.of(LIVE.name, f"bench-live-{len(asked)}")
            # from when it was due: a stall of this process is charged too
            posts.sent[flight.uuid] = due
            asked.append(asyncio.create_task(_post(url, flight)))
        await asyncio.gather(*asked)
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _post(url: str, flight: Flight) -> None:
    point = {"lat": 45.8146, "lon": 6.2488, "datetime": datetime.now(UTC).isoformat(), "elevation": 1850}
    body = orjson.dumps({"flight_id": flight.flight_id, "track_points": [point]})
    accepted(await closed_loop(url, [request(url, LIVE.endpoint, body)], connections=1))


async def _look(stage: Stage, posts: _Posts) -> None:
    while True:
        cursor = await stage.scratch.connection.execute(
            "SELECT flight_uuid FROM live_track_points WHERE flight_uuid = ANY(%s)", (list(posts.sent),), prepare=True
        )
        posts.seen([flight for (flight,) in await cursor.fetchall()], time.perf_counter())
        await asyncio.sleep(_LOOK_SECONDS)


async def _all_seen(posts: _Posts, looking: "asyncio.Task[None]") -> None:
    while posts.sent:
        if looking.done():
            looking.result()
        await asyncio.sleep(_LOOK_SECONDS)


def _figure(posts: _Posts, points: int) -> Figure:
    p50, p99 = percentile(posts.seconds, 0.50), percentile(posts.seconds, 0.99)
    note = f"p99 of {len(posts.seconds)} posts, one every {_EVERY_SECONDS * 1e3:.0f} ms, while {points:,} points are drained"
    figure = measured(
        "e2e", "live point behind a backlog, POST to committed row", "s", [p99], target=Target(1, at_least=False), note=note
    )
    return replace(figure, p50_ms=p50 * 1e3, p99_ms=p99 * 1e3)
