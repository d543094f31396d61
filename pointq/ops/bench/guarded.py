"""What it costs to be guarded and watched: the same posts to a server that asks for a token and whose metrics are read."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from pointq.aio import cancel
from pointq.ops.bench.figures import Figure, Target, compared
from pointq.ops.bench.load import accepted, closed_loop, request
from pointq.ops.bench.processes import Server, served
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.tracks import live_bodies
from pointq.ops.tokens import make
from pointq.points.kinds import LIVE
from pointq.store.tokens import enter

OPEN = "the same posts to a server with open doors, whose metrics nobody reads"

_POSTS = 20_000
_SHUT = {"POINTQ_AUTH__TRACKING": "token"}
_SCRAPE_SECONDS = 1.0
"""Fifteen times as often as is usual."""


async def guarded(stage: Stage, opened: Server) -> Figure:
    """One-point posts with a token each, against posts to `opened`, which asks for none."""
    secret, token = make("bench", [LIVE.name], dt.datetime.now(dt.UTC))
    await enter(stage.scratch.connection, token)
    bodies = live_bodies(stage.tracks, _POSTS)
    options = stage.options

    async def ask(server: Server, **headers: str) -> float:
        await stage.scratch.empty_queue()
        requests = [request(server.url, LIVE.endpoint, body, headers) for body in bodies]
        load = await closed_loop(server.url, requests, connections=options.connections, seconds=options.duration)
        return accepted(load) / load.seconds

    async with served(stage, _SHUT) as shut, _scraped(shut.url):
        pairs = await stage.pairs(
            "http: one-point posts, guarded", lambda: ask(opened), lambda: ask(shut, Authorization=f"Bearer {secret}")
        )
    return compared("http", "one-point posts, with token and metrics", OPEN, pairs, target=Target(0.9), unit="requests/s")


@asynccontextmanager
async def _scraped(url: str) -> AsyncIterator[None]:
    """Read a server's metrics all the time, as Prometheus does."""

    async def scrape() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            while True:
                async with session.get(f"{url}/metrics") as answer:
                    await answer.read()
                await asyncio.sleep(_SCRAPE_SECONDS)

    task = asyncio.create_task(scrape())
    try:
        yield
    finally:
        if task.done():
            task.result()
        await cancel(task)
