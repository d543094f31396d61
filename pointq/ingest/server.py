"""One ingest server: what it is made of, how it starts, and how it ends without losing what it accepted."""

import asyncio
import gc
import logging
import os
import signal
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from aiohttp import web

from pointq.clock import rfc3339
from pointq.errors import DurabilityError, RedisError, RedisLoginError
from pointq.ingest.app import make_app, posts_of
from pointq.ingest.breaker import Breaker
from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.opening import opened
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.guard import routed
from pointq.ingest.http_log import http_log
from pointq.ingest.importing import Desk
from pointq.ingest.intake import Intake, Route
from pointq.ingest.malformed import Runner
from pointq.ingest.openapi.document import Limits
from pointq.ingest.port import cannot_listen, url_of
from pointq.ingest.pulse import Pulse
from pointq.ingest.refill import Refill
from pointq.ingest.services import Services
from pointq.ingest.shortcut import take_shortcut
from pointq.ingest.tls import TlsFiles
from pointq.ingest.ways import DatabaseWay, QueueWay, SpoolWay
from pointq.ops.collect import collect
from pointq.ops.notices import IntakeStatus, Notice
from pointq.ops.status import Status
from pointq.points.kinds import KINDS, LIVE
from pointq.queue.connection import connect
from pointq.queue.lanes import Lane, lanes_of
from pointq.queue.ledger import Ledger
from pointq.spool.spool import Spool
from pointq.store.mapping import PLAIN, Tables

log = logging.getLogger("pointq.ingest")

_STATUS_SECONDS = 1.0
"""A status is given out again for so long: monitors that ask often must not open connections as often."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one server is to do, and with which backends."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    tables: Tables = PLAIN
    host: str = "127.0.0.1"
    port: int = 8000
    shares_port: bool = False
    """Other processes listen on it too; see `port`."""
    prefix: str = "pointq"
    shards: int = 1
    durability: Literal["fsync", "memory"] = "fsync"
    min_replicas: int = 0
    flight_day_timezone: str = "UTC"
    max_connections: int = 50
    max_body_bytes: int = 16 * 1024 * 1024
    max_points: int = 100_000
    shutdown_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    fallback: Sequence[Literal["database", "spool"]] = ("database", "spool")
    budget_seconds: float = 2.0
    spool_dir: Path | None = None
    spool_bytes: int = 1024 * 1024 * 1024
    spool_points_per_second: float = 100_000.0
    flymaster_secret: str | None = field(default=None, repr=False)
    doors: DoorPlan = field(default_factory=DoorPlan)
    tls: TlsFiles | None = None

    @property
    def scheme(self) -> str:
        """Of the address that clients use."""
        return "https" if self.tls else "http"


async def serve(plan: Plan, ready: Callable[[str], None], until: asyncio.Event | None = None) -> None:
    """Take points until SIGTERM or SIGINT, or `until` is set; `ready` is called with the address once it listens.

    The first signal finishes the open requests, a Ctrl-C after it cancels this at once: what was answered 202 is durable.

    Raises ConfigError where keys or certificates cannot be used, DurabilityError or RedisLoginError where Redis cannot keep the
    promise of a 202 or refuses the login, SpoolError where the spool cannot be used, RedisError where Redis was never reached
    from this data folder, PointqError where the address is taken. A Redis that is away is waited for, while points go another
    way.
    """
    async with AsyncExitStack() as stack:
        # last of all: a Ctrl-C that came while the last things are done would land in whatever callback runs
        stack.callback(_forget_signals)
        tls = plan.tls.context() if plan.tls else None
        gate = await opened(plan.doors, plan.database_url, stack)
        intake, spool, ledger = await _intake(plan, stack)
        lanes = lanes_of(shards=plan.shards, prefix=plan.prefix)
        zone = ZoneInfo(plan.flight_day_timezone)
        commits = {}
        for kind in KINDS.values():
            own = [lane for lane in lanes if lane.kind is kind]
            commits[kind] = GroupCommit(kind, own, intake, most_points=plan.max_points, zone=zone)
            commits[kind].start()
            # the requests are answered by then; what they left behind is committed
            stack.push_async_callback(commits[kind].stop)
        if spool is not None:
            refill = Refill(spool, intake, lanes, points_per_second=plan.spool_points_per_second)
            refill.start()
            stack.push_async_callback(refill.stop)
        pulse = Pulse(partial(_going, intake), ledger, lanes, _notice(plan, stack))
        pulse.start()
        stack.push_async_callback(pulse.stop)
        desk = Desk(intake, lanes, most_bytes=plan.max_body_bytes)
        stack.push_async_callback(desk.close)
        services = Services(commits, _status(plan, intake, lanes, stack), zone, desk, plan.flymaster_secret)
        await _listen(plan, services, gate, tls, ready, until or asyncio.Event())


async def _intake(plan: Plan, stack: AsyncExitStack) -> tuple[Intake, Spool | None, Ledger]:
    """The ways that points may go, in order; the spool apart, since it is drained too, and what is known of the queue."""
    redis = connect(plan.redis_url, max_connections=plan.max_connections)
    stack.push_async_callback(redis.aclose)
    lane = Lane.of(LIVE, prefix=plan.prefix)
    queue, breaker = QueueWay(redis, plan.redis_url, lane, plan.durability, plan.min_replicas), Breaker()
    await _look_at_redis(queue, breaker, has_served=plan.spool_dir is not None and plan.spool_dir.exists())
    routes = [Route(queue, breaker)]
    spool: Spool | None = None
    for via in plan.fallback:
        if via == "database":
            database = DatabaseWay(plan.database_url, plan.tables, connect_timeout=plan.connect_timeout_seconds)
            stack.push_async_callback(database.close)
            routes.append(Route(database, Breaker()))
        elif plan.spool_dir is not None:
            spool = await Spool.open(plan.spool_dir, most_bytes=plan.spool_bytes)
            stack.push_async_callback(spool.close)
            routes.append(Route(SpoolWay(spool), Breaker()))
    return Intake(routes, budget=plan.budget_seconds), spool, queue.ledger


async def _look_at_redis(queue: QueueWay, breaker: Breaker, *, has_served: bool) -> None:
    """See at the start whether Redis will do.

    One that a server of this data folder reached before is waited for, while points go another way; one that none ever reached
    is more likely a wrong address.
    """
    try:
        await queue.open()
    except (DurabilityError, RedisLoginError):
        raise
    except RedisError as exc:
        if not has_served:
            raise
        log.error("%s; points go another way until it works", exc)  # noqa: TRY400 - it says what is wrong
        if permit := breaker.ask():
            # no request need wait to find out
            breaker.failed(permit, exc, timeout=True)


def _status(plan: Plan, intake: Intake, lanes: Sequence[Lane], stack: AsyncExitStack) -> "_Remembered":
    # a client of its own: a question must not wait behind batches that a frozen server keeps
    redis = connect(plan.redis_url, max_connections=plan.max_connections)
    stack.push_async_callback(redis.aclose)
    ask = partial(collect, redis, plan.redis_url, plan.database_url, lanes)
    return _Remembered(partial(ask, prefix=plan.prefix, spool=plan.spool_dir, intake=partial(_going, intake)))


def _going(intake: Intake) -> IntakeStatus:
    now = intake.going
    return IntakeStatus(now.via, rfc3339(now.since), now.is_open, os.getpid(), now.reason)


def _notice(plan: Plan, stack: AsyncExitStack) -> Notice | None:
    """Where this process tells others of its machine which way points go; None where it cannot."""
    if plan.spool_dir is None:
        return None
    try:
        notice = Notice(plan.spool_dir)
    except OSError as exc:
        log.warning("`pointq status` will not say which way points go here: %s", exc)
        return None
    stack.callback(notice.close)
    return notice


async def _listen(
    plan: Plan,
    services: Services,
    gate: Gate,
    tls: ssl.SSLContext | None,
    ready: Callable[[str], None],
    until: asyncio.Event,
) -> None:
    posts = posts_of(services, gate)
    app = make_app(services, posts, gate, Limits(plan.max_body_bytes, plan.max_points))
    # no access log: one line a request costs more than the request, and the metrics say it better
    runner = Runner(app, access_log=None, logger=http_log(), auto_decompress=False, shutdown_timeout=plan.shutdown_seconds)
    await runner.setup()
    if runner.server is not None:
        runner.server.request_handler = routed(runner.server.request_handler)
        take_shortcut(runner.server, posts)
    _heed_signals(until)
    if plan.tls is not None and tls is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, plan.tls.reload, tls)
    try:
        await _bind(plan, runner, tls)
        _calm_collector()
        host, port = runner.addresses[0][:2]
        ready(url_of(host, port, plan.scheme))
        await until.wait()
        log.info("stopping: no new requests, the open ones are finished; Ctrl-C to stop at once")
    finally:
        await runner.cleanup()


def _heed_signals(until: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def interrupt() -> None:
        if until.is_set() and task is not None:
            task.cancel()
        until.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    # never at once: a service manager may send it to a server and to its parent, which passes it on
    loop.add_signal_handler(signal.SIGTERM, until.set)


def _forget_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)


async def _bind(plan: Plan, runner: web.AppRunner, tls: ssl.SSLContext | None) -> None:
    shared = plan.shares_port or None
    try:
        await web.TCPSite(runner, plan.host, plan.port, backlog=1024, ssl_context=tls, reuse_port=shared).start()
    except OSError as exc:
        raise cannot_listen(plan.host, plan.port, exc) from exc


def _calm_collector() -> None:
    """Let the cyclic garbage collector look less often, and never at what was there at the start.

    Requests leave no cycles behind, but each makes enough containers for a look at all of them every twenty requests: a
    tenth of the time of a one-point post.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


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
