"""One worker process: what it is made of, and how it ends."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from pointq import aio
from pointq.errors import RedisError
from pointq.metrics import families
from pointq.metrics.board import Seat, board
from pointq.metrics.counted import WORKING
from pointq.metrics.figures import Gauge
from pointq.metrics.port import listening
from pointq.metrics.teller import Teller
from pointq.queue.connection import connect
from pointq.queue.consumer import Consumer, Retention
from pointq.queue.heartbeats import FORGOTTEN_SECONDS, Heartbeats
from pointq.queue.lanes import Lane
from pointq.store.mapping import PLAIN, Tables
from pointq.store.writer import Writer
from pointq.supervision.superior import Superior
from pointq.supervision.vigil import Vigil
from pointq.systemd.notify import NOBODY
from pointq.work.evictor import Evictor, silence
from pointq.work.heart import Heart
from pointq.work.reader import Reader
from pointq.work.signs import look_at, shown
from pointq.work.watch import Watch
from pointq.work.worker import Figures, Worker

log = logging.getLogger("pointq.work")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker is to do, and with which servers."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    lanes: Sequence[Lane]
    prefix: str = "pointq"
    batch_points: int = 20_000
    reclaim_idle_seconds: float = 10.0
    block_seconds: float = 1.0
    heartbeat_seconds: float = 1.0
    connect_timeout_seconds: float = 5.0
    drain: bool = False
    strict: bool = False
    retain_seconds: float = 0.0
    """How long stored batches are kept in Redis; 0: not at all."""
    retain_bytes: int = 0
    """Most that each lane keeps of them."""
    tables: Tables = PLAIN
    seat: Seat | None = None
    """Where it tells its metrics, with others; None: alone."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    """Where this process answers Prometheus; None: nowhere, or its parent does."""


def run(plan: Plan, superior: Superior = NOBODY) -> Figures:
    """Run one worker in this process; see `work`. Raises KeyboardInterrupt where that is cancelled."""
    return aio.run(work(plan, superior))


async def work(plan: Plan, superior: Superior = NOBODY) -> Figures:
    """Run one worker until SIGTERM, SIGINT, or, when draining, until its lanes are empty; `superior` hears how it does.

    The first signal finishes what was read, then ends. A Ctrl-C after it cancels this at once; another SIGTERM does not, since
    a service manager may send it to a worker and to its parent, which passes it on. Raises CancelledError then, and where
    either signal ended a drain before its lanes were empty.
    """
    redis = connect(plan.redis_url)
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    retention = Retention(plan.retain_seconds, plan.retain_bytes) if plan.retain_seconds else None
    consumer = Consumer(redis, plan.redis_url, name, retention=retention)
    reader = Reader(
        consumer,
        plan.lanes,
        points=plan.batch_points,
        reclaim_idle=plan.reclaim_idle_seconds,
        block=plan.block_seconds,
        drain=plan.drain,
        strict=plan.strict,
    )
    heartbeats = Heartbeats(redis, plan.redis_url, plan.prefix)
    evictor = Evictor(heartbeats, consumer.name, silent_seconds=silence(plan.reclaim_idle_seconds, plan.heartbeat_seconds))
    worker = Worker(consumer, reader, _writer(plan), evictor)
    heart = Heart(worker, reader, consumer, heartbeats, interval=plan.heartbeat_seconds)
    watch = Watch(worker, evictor, _writer(plan), interval=plan.heartbeat_seconds)
    log.info("worker %s reads %s", consumer.name, ", ".join(dict.fromkeys(lane.kind.name for lane in plan.lanes)))
    # to the very end: a Ctrl-C that came while the last things are done would land in whatever callback runs
    with _stopped_by_signals(worker, superior):
        vigil = Vigil(superior, look_at(worker, longest_seconds=plan.block_seconds))
        try:
            heart.start()
            watch.start()
            async with _told(plan, worker):
                superior.ready(shown(worker.figures()))
                vigil.start()
                await worker.run()
        finally:
            await vigil.stop()
            await watch.stop()
            await heart.stop()
            await _leave(consumer, plan.lanes)
            await redis.aclose()
    figures = worker.figures()
    done = (figures.stored, figures.duplicates, figures.dead)
    log.info("worker %s ends: %d stored, %d duplicates, %d dead", consumer.name, *done)
    if plan.drain and not reader.drained:
        # what was asked for is not done: a script must not take it for done, whichever signal it was
        raise asyncio.CancelledError
    return figures


@contextlib.asynccontextmanager
async def _told(plan: Plan, worker: Worker) -> AsyncIterator[None]:
    """Tell the metrics meanwhile. Raises PointqError where the port for them is taken."""
    gauges = (
        Gauge(families.WORKER_UP, lambda: 1),
        Gauge(families.REDIS_UP, lambda: not worker.misses_redis),
        Gauge(families.DATABASE_UP, lambda: not worker.misses_database),
    )
    teller = Teller(plan.seat or board(1)[0], (*WORKING, *gauges))
    teller.start()
    try:
        async with contextlib.AsyncExitStack() as stack:
            if plan.metrics_port is not None:
                await stack.enter_async_context(listening(plan.metrics_host, plan.metrics_port, teller.tell))
            yield
    finally:
        await teller.stop()


def _writer(plan: Plan) -> Writer:
    return Writer(plan.database_url, plan.tables, connect_timeout=plan.connect_timeout_seconds)


@contextlib.contextmanager
def _stopped_by_signals(worker: Worker, superior: Superior) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        loop.add_signal_handler(signal.SIGINT, give_up)
        loop.add_signal_handler(signal.SIGTERM, worker.stop)
        log.warning("stopping: what was read is stored first; Ctrl-C to stop at once")
        superior.stopping("stopping: what was read is stored first")
        worker.stop()

    def give_up() -> None:
        worker.give_up()
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
        if task is not None and task.cancelling():
            # the client of Redis swallowed it
            raise asyncio.CancelledError
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _leave(consumer: Consumer, lanes: Sequence[Lane]) -> None:
    try:
        for lane in lanes:
            await consumer.leave(lane, FORGOTTEN_SECONDS)
    except RedisError as exc:
        log.debug("the consumer stays in the group: %s", exc)
