"""One ingest server: what it is made of, how it starts, and how it ends without losing what it accepted."""

import asyncio
import gc
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pointq.errors import DurabilityError, RedisError, RedisLoginError
from pointq.ingest.app import make_app, posts_of
from pointq.ingest.breaker import Breaker
from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.opening import opened
from pointq.ingest.drain import Drain
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.guard import routed
from pointq.ingest.importing import Desk
from pointq.ingest.intake import Intake, Route
from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.limits.descriptors import room_for
from pointq.ingest.limits.doorstep import Doorstep
from pointq.ingest.limits.limits import Limits
from pointq.ingest.limits.runner import Runner
from pointq.ingest.limits.tally import Tally
from pointq.ingest.openapi.document import Bounds
from pointq.ingest.plan import Plan
from pointq.ingest.port import url_of
from pointq.ingest.problems import Problem
from pointq.ingest.pulse import Pulse
from pointq.ingest.refill import Refill
from pointq.ingest.services import Services
from pointq.ingest.shortcut import take_shortcut
from pointq.ingest.signals import forget_signals, heed_reload, heed_stop
from pointq.ingest.signs import look_at, shown
from pointq.ingest.sites import close, listen
from pointq.ingest.watching import going, notice_of, status_of
from pointq.ingest.ways import DatabaseWay, QueueWay, SpoolWay
from pointq.metrics.board import board
from pointq.metrics.counted import SERVING
from pointq.metrics.http_log import http_log
from pointq.metrics.teller import Teller
from pointq.ops.importing.answer import PATH as IMPORT_PATH
from pointq.points.kinds import KINDS, LIVE, Kind
from pointq.queue.connection import connect
from pointq.queue.lanes import Lane, lanes_of
from pointq.queue.ledger import Ledger
from pointq.spool.spool import Spool
from pointq.supervision.superior import Superior
from pointq.supervision.vigil import Vigil
from pointq.systemd.notify import NOBODY

log = logging.getLogger("pointq.ingest")

_CUT_SECONDS = 0.5
"""What is open behind `Plan.shutdown_seconds` gets to hear that it is cut."""


async def serve(
    plan: Plan, ready: Callable[[str], None], until: asyncio.Event | None = None, superior: Superior = NOBODY
) -> None:
    """Take points until SIGTERM or SIGINT, or `until` is set; `ready` is called with the address once it listens.

    `superior` hears how it does.

    The first signal finishes the open requests, a Ctrl-C after it cancels this at once: what was answered 202 is durable.

    Raises ConfigError where keys or certificates cannot be used, DurabilityError or RedisLoginError where Redis cannot keep the
    promise of a 202 or refuses the login, SpoolError where the spool cannot be used, RedisError where Redis was never reached
    from this data folder, PointqError where the address is taken. A Redis that is away is waited for, while points go another
    way.
    """
    async with AsyncExitStack() as stack:
        # last of all: a Ctrl-C that came while the last things are done would land in whatever callback runs
        stack.callback(forget_signals)
        tls = plan.tls.context() if plan.tls else None
        limits = Limits(plan.limits, Tally())
        gate = await opened(plan.doors, plan.database_url, stack, limits.failures)
        intake, spool, ledger = await _intake(plan, stack)
        limits.work(plan.redis_url, plan.prefix, ledger, stack)
        lanes = lanes_of(shards=plan.shards, prefix=plan.prefix)
        commits = _commits(plan, intake, lanes, stack)
        if spool is not None:
            _begin(Refill(spool, intake, lanes, points_per_second=plan.spool_points_per_second), stack)
        _begin(Pulse(partial(going, intake), ledger, lanes, notice_of(plan, stack)), stack)
        desk = Desk(intake, lanes, most_bytes=plan.max_body_bytes)
        stack.push_async_callback(desk.close)
        teller = _begin(Teller(plan.seat or board(1)[0], SERVING), stack)
        services = Services(
            commits,
            status_of(plan, intake, lanes, stack),
            ZoneInfo(plan.flight_day_timezone),
            desk,
            teller,
            {path: Arrivals(plan.max_body_bytes) for path in (*(kind.endpoint for kind in KINDS.values()), IMPORT_PATH)},
            limits.spend_of,
            gate.failed,
            limits.tally.counts,
            plan.flymaster_secret,
        )

        def listening(url: str) -> None:
            ready(url)
            superior.ready(shown(url, intake.going))
            _begin(Vigil(superior, look_at(commits.values(), lambda: intake.going, url, plan.budget_seconds)), stack)

        drain = Drain()
        runner = await _runner(plan, services, gate, limits, drain)
        await _listen(plan, runner, drain, tls, listening, until or asyncio.Event(), superior)


class _Beside(Protocol):
    """What goes on beside the requests."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


B = TypeVar("B", bound=_Beside)


def _begin(what: B, stack: AsyncExitStack) -> B:
    what.start()
    stack.push_async_callback(what.stop)
    return what


def _commits(plan: Plan, intake: Intake, lanes: Sequence[Lane], stack: AsyncExitStack) -> Mapping[Kind, GroupCommit]:
    """Those of all kinds; the requests are answered when they end, and what they left behind is committed."""
    zone = ZoneInfo(plan.flight_day_timezone)
    return {
        kind: _begin(
            GroupCommit(kind, [lane for lane in lanes if lane.kind is kind], intake, most_points=plan.max_points, zone=zone),
            stack,
        )
        for kind in KINDS.values()
    }


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


async def _runner(plan: Plan, services: Services, gate: Gate, limits: Limits, drain: Drain) -> Runner:
    """The application, on a server whose connections are counted and watched; nobody listens yet."""
    posts = posts_of(services, gate, limits)
    app = make_app(services, posts, gate, limits, Bounds(plan.max_body_bytes, plan.max_points))
    # no access log: one line a request costs more than the request, and the metrics say it better
    options: dict[str, Any] = {"access_log": None, "logger": http_log("pointq.ingest.http", Problem), "auto_decompress": False}
    doorstep, times = _doorstep(plan, gate, limits), plan.limits.times
    runner = Runner(app, doorstep, times, limits.tally, shutdown_timeout=_CUT_SECONDS, options=options)
    await runner.setup()
    if runner.server is not None:
        runner.server.request_handler = routed(runner.server.request_handler)
        take_shortcut(runner.server, posts, drain)
    return runner


async def _listen(
    plan: Plan,
    runner: Runner,
    drain: Drain,
    tls: ssl.SSLContext | None,
    ready: Callable[[str], None],
    until: asyncio.Event,
    superior: Superior,
) -> None:
    heed_stop(until)
    try:
        place = plan.host, plan.port
        await listen(runner, place, tls, shared=plan.shares_port, descriptors=plan.descriptors)
        _calm_collector()
        host, port = runner.addresses[0][:2]
        url = url_of(host, port, plan.scheme)
        heed_reload(plan.tls, tls, superior, url)
        ready(url)
        await until.wait()
        log.info("stopping: no new requests, the open ones are finished; Ctrl-C to stop at once")
        superior.stopping(f"{url}: stopping, open requests are finished", plan.stop_seconds)
        await close(runner, drain, plan.shutdown_seconds, tls=tls is not None)
    finally:
        await runner.cleanup()


def _doorstep(plan: Plan, gate: Gate, limits: Limits) -> Doorstep:
    most = room_for(plan.limits.connections)
    return Doorstep(most, plan.limits.connections_per_address, limits.tally, gate.is_proxy)


def _calm_collector() -> None:
    """Let the cyclic garbage collector look less often, and never at what was there at the start.

    Requests leave no cycles behind, but each makes enough containers for a look at all of them every twenty requests: a
    tenth of the time of a one-point post.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
