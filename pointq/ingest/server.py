"""One ingest server: what it is made of, how it starts, and how it ends without losing what it accepted."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

from aiohttp import web

from pointq.errors import PointqError
from pointq.ingest.app import make_app
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.services import Services
from pointq.ops.status import Status, collect
from pointq.points.kinds import KINDS
from pointq.queue.connection import connect
from pointq.queue.lanes import lanes_of
from pointq.queue.producer import open_producer

log = logging.getLogger("pointq.ingest")

_STATUS_SECONDS = 1.0
"""A status is given out again for so long: monitors that ask often must not open connections as often."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one server is to do, and with which backends."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    prefix: str = "pointq"
    shards: int = 1
    durability: Literal["fsync", "memory"] = "fsync"
    min_replicas: int = 0
    flight_day_timezone: str = "UTC"
    max_connections: int = 50
    max_body_bytes: int = 16 * 1024 * 1024
    max_points: int = 100_000
    shutdown_seconds: float = 10.0
    flymaster_secret: str | None = field(default=None, repr=False)


async def serve(plan: Plan, ready: Callable[[str], None], until: asyncio.Event | None = None) -> None:
    """Take points until SIGTERM or SIGINT, or `until` is set; `ready` is called with the address once it listens.

    Raises RedisError where Redis cannot be reached or cannot keep the promise of a 202, PointqError where the address is taken.
    """
    redis = connect(plan.redis_url, max_connections=plan.max_connections)
    try:
        producer = await open_producer(redis, plan.redis_url, plan.durability, plan.min_replicas)
        lanes = lanes_of(shards=plan.shards, prefix=plan.prefix)
        zone = ZoneInfo(plan.flight_day_timezone)
        commits = {
            kind: GroupCommit(
                kind, [lane for lane in lanes if lane.kind is kind], producer, most_points=plan.max_points, zone=zone
            )
            for kind in KINDS.values()
        }
        status = _Remembered(partial(collect, redis, plan.redis_url, plan.database_url, lanes, plan.prefix))
        services = Services(commits, status, zone, plan.flymaster_secret)
        for commit in commits.values():
            commit.start()
        await _listen(plan, make_app(services, max_body_bytes=plan.max_body_bytes), ready, until or asyncio.Event())
        # the requests are answered; what they left behind is committed by now
        for commit in commits.values():
            await commit.stop()
    finally:
        await redis.aclose()


async def _listen(plan: Plan, app: web.Application, ready: Callable[[str], None], until: asyncio.Event) -> None:
    # no access log: one line a request costs more than the request, and the metrics say it better
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=plan.shutdown_seconds)
    await runner.setup()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    try:
        await _bind(plan, runner)
        _calm_collector()
        ready(_address(runner))
        await until.wait()
        log.info("stopping: no new requests, the open ones are finished")
    finally:
        await runner.cleanup()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _bind(plan: Plan, runner: web.AppRunner) -> None:
    try:
        await web.TCPSite(runner, plan.host, plan.port, backlog=1024).start()
    except OSError as exc:
        raise PointqError(
            f"cannot listen on {plan.host}:{plan.port}: {exc.strerror or exc}", hint="choose another with --host and --port"
        ) from exc


def _calm_collector() -> None:
    """Let the cyclic garbage collector look less often, and never at what was there at the start.

    Requests leave no cycles behind, but each makes enough containers for a look at all of them every twenty requests: a
    tenth of the time of a one-point post.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Remembered:
    """A status that is asked for at most once in a while, by one question at a time."""

    def __init__(self, ask: Callable[[], Awaitable[Status]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._last: tuple[float, Status] | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> Status:
        async with self._lock:
            now = self._clock()
            if self._last is None or now - self._last[0] > _STATUS_SECONDS:
                self._last = (now, await self._ask())
            return self._last[1]
