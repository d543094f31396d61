"""What a token on every request costs: the same posts to the same server, with its doors shut and open."""

import datetime as dt

from pointq.ops.bench.figures import Figure, Target, compared
from pointq.ops.bench.load import accepted, closed_loop, request
from pointq.ops.bench.processes import Server, served
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.tracks import live_bodies
from pointq.ops.tokens import make
from pointq.points.kinds import LIVE
from pointq.store.tokens import enter

OPEN = "the same posts to the same server, its doors open"

_POSTS = 20_000
_SHUT = {"POINTQ_AUTH__TRACKING": "token"}


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

    async with served(stage, _SHUT) as shut:
        pairs = await stage.pairs(
            "http: one-point posts with a token", lambda: ask(opened), lambda: ask(shut, Authorization=f"Bearer {secret}")
        )
    return compared("http", "one-point posts with a token", OPEN, pairs, target=Target(0.9), unit="requests/s")
