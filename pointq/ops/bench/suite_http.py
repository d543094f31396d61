"""``bench http``: what one ingest server accepts, durably, while nobody stores it."""

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from statistics import median

import orjson

from pointq.errors import PointqError
from pointq.ops.bench.figures import Figure, Target, compared, measured, percentile
from pointq.ops.bench.guarded import guarded
from pointq.ops.bench.load import Load, accepted, closed_loop, open_loop, request
from pointq.ops.bench.memory import used_memory
from pointq.ops.bench.processes import Server, bare_server, peak_mib, resident_mib, served
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.suite_redis import memory_figure
from pointq.ops.bench.tracks import CHUNK, live_bodies
from pointq.ops.bodies import json_body
from pointq.points.kinds import LIVE, UPLOAD, Kind
from pointq.queue.measure import measure

PARSED = "bare orjson.loads of the same bodies, in this process"
HANDLED = "bare aiohttp handler that reads and parses the body"

UPLOADERS = 16
"""Connections that upload: each carries 150 kB at a time, so that more would only wait."""
_BODIES = 200
"""Different uploads; they are sent again and again, since nothing is stored here."""
_POSTS = 20_000
"""Different one-point posts."""
_PERCENTILES = (0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99)


async def run(stage: Stage) -> AsyncGenerator[Figure, None]:
    """Measure."""
    async with served(stage) as server, bare_server() as bare:
        fresh = resident_mib(server.pid)
        yield await _uploads(stage, server)
        live = await _live(stage, server, bare)
        yield live
        yield await _latency(stage, server, stage.options.rate or (live.points_per_second or 0) / 2)
        yield await _waiting(stage, server)
        if (memory := _memory(server, fresh)) is not None:
            yield memory
        yield await guarded(stage, server)
        await stage.scratch.empty_queue()


async def _uploads(stage: Stage, server: Server) -> Figure:
    stage.tell("http: making uploads")
    chunks = stage.tracks.chunks(min(stage.options.some_points, _BODIES * CHUNK))
    bodies = [json_body(chunk) for chunk in chunks]
    requests = [request(server.url, UPLOAD.endpoint, body) for body in bodies]

    async def bare() -> float:
        passes = 0
        started = now = time.perf_counter()
        while now - started < stage.options.duration:
            for body in bodies:
                orjson.loads(body)
            passes += 1
            now = time.perf_counter()
        return passes * len(bodies) * CHUNK / (now - started)

    async def ours() -> float:
        await stage.scratch.empty_queue()
        load = await closed_loop(server.url, requests, connections=UPLOADERS, seconds=stage.options.duration)
        await _check(stage, UPLOAD, accepted(load) * CHUNK)
        return load.answered * CHUNK / load.seconds

    pairs = await stage.pairs("http: uploads", bare, ours)
    return compared("http", "1,000-point uploads accepted", PARSED, pairs, target=Target(0.32))


async def _live(stage: Stage, server: Server, floor: Server) -> Figure:
    bodies = live_bodies(stage.tracks, _POSTS)
    options = stage.options

    async def ask(whom: Server) -> Load:
        await stage.scratch.empty_queue()
        requests = [request(whom.url, LIVE.endpoint, body) for body in bodies]
        return await closed_loop(whom.url, requests, connections=options.connections, seconds=options.duration)

    async def bare() -> float:
        load = await ask(floor)
        return accepted(load) / load.seconds

    async def ours() -> float:
        load = await ask(server)
        await _check(stage, LIVE, accepted(load))
        return load.answered / load.seconds

    pairs = await stage.pairs("http: one-point posts", bare, ours)
    note = f"{options.connections} connections"
    return compared("http", "one-point posts", HANDLED, pairs, target=Target(0.75), unit="requests/s", note=note)


async def _latency(stage: Stage, server: Server, rate: float) -> Figure:
    """Latencies of an open loop, in as many rounds as there are pairs."""
    requests = [request(server.url, LIVE.endpoint, body) for body in live_bodies(stage.tracks, _POSTS)]
    options = stage.options
    loads: list[Load] = []
    for number in range(options.pairs):
        stage.tell(f"http: one-point posts at {rate:,.0f}/s, round {number + 1} of {options.pairs}")
        await stage.scratch.empty_queue()
        loads.append(
            await open_loop(server.url, requests, connections=options.connections, rate=rate, seconds=options.duration)
        )
        accepted(loads[-1])
    p99s = [percentile(load.latencies, 0.99) * 1e3 for load in loads]
    figure = measured("http", "one-point posts, p99 at a fixed rate", "ms", p99s, target=Target(10, at_least=False))
    everything = [latency * 1e3 for load in loads for latency in load.latencies]
    return replace(
        figure,
        points_per_second=median(load.per_second for load in loads),
        p50_ms=percentile(everything, 0.50),
        p99_ms=percentile(everything, 0.99),
        note=f"open loop at {rate:,.0f} requests/s, latencies from when a request was due",
        chart="ms by percentile",
        series=tuple((share, percentile(everything, share / 100)) for share in _PERCENTILES),
    )


async def _waiting(stage: Stage, server: Server) -> Figure:
    """Redis memory of what waits after a while of one-point posts as fast as they go."""
    stage.tell("http: memory of waiting one-point posts")
    scratch, options = stage.scratch, stage.options
    requests = [request(server.url, LIVE.endpoint, body) for body in live_bodies(stage.tracks, _POSTS)]
    await scratch.empty_queue()
    before = await used_memory(scratch.redis, scratch.redis_url)
    seconds = options.duration * 3
    accepted(await closed_loop(server.url, requests, connections=options.connections, seconds=seconds))
    taken = await used_memory(scratch.redis, scratch.redis_url) - before
    lane = await measure(scratch.redis, scratch.redis_url, scratch.lane(LIVE))
    figure = memory_figure("http", "memory, one-point posts", taken / lane.ready_points, Target(48, at_least=False))
    return replace(figure, note=f"{lane.ready_points:,} posts in {lane.ready_batches:,} batches")


def _memory(server: Server, fresh: float | None) -> Figure | None:
    peak, now = peak_mib(server.pid), resident_mib(server.pid)
    if peak is None or now is None or fresh is None:
        return None
    note = f"{fresh:.0f} MiB before the first request, {now:.0f} MiB after the last"
    return measured("http", "serve, peak memory", "MiB", [peak], target=Target(120, at_least=False), note=note)


async def _check(stage: Stage, kind: Kind, points: int) -> None:
    """A figure counts only if the points wait in the queue, and went no other way."""
    lane = await measure(stage.scratch.redis, stage.scratch.redis_url, stage.scratch.lane(kind))
    if lane.ready_points != points:
        raise PointqError(f"{points} points were accepted and {lane.ready_points} wait in the queue: the speed means nothing")
