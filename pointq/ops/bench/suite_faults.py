"""``bench e2e --faults``: whether what was accepted is stored, whatever breaks meanwhile."""

import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from pointq import aio
from pointq.errors import BackendError, DatabaseError, PointqError, WaitTimeout
from pointq.ops.bench.broken import Broken, broken
from pointq.ops.bench.clients import Clients
from pointq.ops.bench.mix import Fault, Mix
from pointq.ops.bench.options import Backends
from pointq.ops.bench.rounds import Tell
from pointq.ops.bench.scratch import Scratch, scratch
from pointq.ops.bench.verdict import Verdict, judge
from pointq.queue.connection import translated
from pointq.queue.measure import Measure, measure
from pointq.spool.stats import inspect
from pointq.store.faults import one_line

_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0
"""Without any progress."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What became of the requests."""

    queue: int
    database: int
    spool: int
    refused: int
    """Answered, with another status than 202."""
    unanswered: int
    """The server was killed before it could answer."""
    slowest_seconds: float


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What happened and what became of the points."""

    time: datetime
    seconds: float
    seed: int
    verdict: Verdict
    duplicate_points: int
    """Delivered again, or sent by two ways, and recognised."""
    requests: Requests
    faults: Sequence[Fault]
    logs: str | None
    """Folder of what the processes said, kept where a promise was broken."""


async def run(backends: Backends, seed: int, seconds: float, tell: Tell) -> FaultReport:
    """Break a scratch installation for so long, let it settle, and judge.

    Raises DatabaseError and RedisError where a server fails beyond what is done to it here, WaitTimeout where points that were
    accepted still wait after everything is mended.
    """
    aio.end_on_sigterm()
    began, started = datetime.now(UTC), time.perf_counter()
    tell("starting a server and two workers")
    folder = Path(tempfile.mkdtemp(prefix="pq-bench-"))
    kept = False
    try:
        with translated(backends.redis_url):
            async with scratch(backends) as own, broken(own, backends, folder) as place:
                clients = Clients(lambda: place.url)
                mix = Mix(place, clients, random.Random(seed))  # noqa: S311 - to be repeated
                await _happen(place, clients, mix, seconds, tell)
                verdict, duplicates = await judge(own, clients.each), sum([m.duplicate_points for m in await _measures(own)])
        kept = not verdict.is_good
    except psycopg.Error as exc:
        raise DatabaseError(f"the database ended the benchmark: {one_line(exc)}") from exc
    except BackendError:
        # of a server of the user's, of which the processes' logs tell no more
        raise
    except PointqError:
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
    took = round(time.perf_counter() - started, 1)
    return FaultReport(began, took, seed, verdict, duplicates, _requests(clients), mix.made, str(folder) if kept else None)


async def _happen(place: Broken, clients: Clients, mix: Mix, seconds: float, tell: Tell) -> None:
    clients.start()
    try:
        await mix.run(seconds, tell)
    finally:
        await clients.stop()
    tell("waiting until all is stored")
    await _settled(place)


async def _settled(place: Broken) -> None:
    """Wait until nothing waits, neither in the spool nor in the queue. Raises WaitTimeout."""
    last, moved = -1, time.monotonic()
    while left := await _left(place):
        aio.check_cancelled()
        now = time.monotonic()
        if left != last:
            last, moved = left, now
        elif now - moved > _PATIENCE_SECONDS:
            raise WaitTimeout(
                f"{left} accepted points wait and nothing moves for {_PATIENCE_SECONDS:g} s, though all is mended",
                hint=f"what the processes said is in {place.folder}",
            )
        await asyncio.sleep(_LOOK_SECONDS)


async def _left(place: Broken) -> int:
    # the spool first: what it gives up is in the queue then
    spooled = (await asyncio.to_thread(inspect, place.spool)).points
    return spooled + sum(each.ready_points + each.pending_points for each in await _measures(place.scratch))


async def _measures(own: Scratch) -> Sequence[Measure]:
    return [await measure(own.redis, own.redis_url, lane) for lane in own.lanes]


def _requests(clients: Clients) -> Requests:
    found: Counter[str] = clients.answered
    names = ("queue", "database", "spool", "refused", "unanswered")
    return Requests(**{name: found[name] for name in names}, slowest_seconds=round(clients.slowest, 3))
