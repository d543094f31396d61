"""A benchmark from beginning to end: the scratch, the suites, the report."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from pointq import aio
from pointq.errors import DatabaseError
from pointq.ops.bench import suite_db, suite_e2e, suite_http, suite_import, suite_redis, tracks
from pointq.ops.bench.figures import Figure
from pointq.ops.bench.machine import Machine, Versions, machine, versions
from pointq.ops.bench.options import Backends, Options
from pointq.ops.bench.rounds import Stage, Tell
from pointq.ops.bench.scratch import scratch
from pointq.queue.connection import translated
from pointq.store.faults import one_line

SUITES: dict[str, Callable[[Stage], AsyncGenerator[Figure, None]]] = {
    "redis": suite_redis.run,
    "db": suite_db.run,
    "http": suite_http.run,
    "import": suite_import.run,
    "e2e": suite_e2e.run,
}
"""All suites, in the order in which ``all`` runs them."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found, and what it was found with."""

    time: datetime
    seconds: float
    machine: Machine
    versions: Versions
    settings: Options
    data: str
    """Where the tracks are from."""
    figures: Sequence[Figure]


async def run(
    suites: Sequence[str], options: Options, backends: Backends, tell: Tell, found: Callable[[Figure], None]
) -> Report:
    """Run those suites; `tell` is told what is measured now, `found` each figure as soon as it is known.

    Raises DatabaseError and RedisError where a server fails, PointqError where what was measured is not what was meant.
    """
    aio.end_on_sigterm()
    began, started = datetime.now(UTC), time.perf_counter()
    tell("making tracks")
    replayed = tracks.load(options.samples, options.seed)
    figures: list[Figure] = []
    try:
        with translated(backends.redis_url):
            async with scratch(backends) as own:
                stage = Stage(options, backends, own, replayed, tell)
                used = await versions(own)
                for suite in suites:
                    # closed at once whatever happens: its processes must have ended when the scratch is dropped
                    async with aclosing(SUITES[suite](stage)) as measuring:
                        async for figure in measuring:
                            figures.append(figure)
                            found(figure)
    except psycopg.Error as exc:
        raise DatabaseError(f"the database ended the benchmark: {one_line(exc)}") from exc
    seconds = round(time.perf_counter() - started, 1)
    return Report(began, seconds, machine(), used, options, replayed.source, tuple(figures))
