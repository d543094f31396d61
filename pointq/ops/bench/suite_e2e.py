"""``bench e2e``: from the queue, and from HTTP, to committed rows."""

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from pointq.errors import PointqError
from pointq.ops.bench import floors, replaced
from pointq.ops.bench.figures import Figure, Target, compared, measured
from pointq.ops.bench.floors import CopyBlock
from pointq.ops.bench.lanes import Watch, done, pause, settled
from pointq.ops.bench.live import under_backlog
from pointq.ops.bench.load import accepted, closed_loop, request
from pointq.ops.bench.memory import used_memory
from pointq.ops.bench.processes import peak_mib, resident_mib, served, worker, worker_pid
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.scratch import REPLACED
from pointq.ops.bench.suite_db import bare_copy
from pointq.ops.bench.suite_http import UPLOADERS
from pointq.ops.bench.suite_redis import fill
from pointq.ops.bench.tracks import CHUNK, batches
from pointq.ops.bodies import json_body
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import UPLOAD

_FLAT = 1.1
"""Memory after all points over memory after a quarter of them: what is above grows."""
_QUARTER, _END = 0.25, 0.95


@dataclass(slots=True)
class _Memory:
    """What the workers took."""

    peak: float = 0.0
    growth: list[float] = field(default_factory=list)
    samples: list[tuple[float, float]] = field(default_factory=list)
    """Points stored and MiB, of the last drain."""

    def note(self, pid: int) -> None:
        self.peak = max(self.peak, peak_mib(pid) or 0.0)

    def ended(self, points: int) -> None:
        early = [mib for done, mib in self.samples if done >= points * _QUARTER]
        late = [mib for done, mib in self.samples if done >= points * _END]
        if early and late:
            self.growth.append(late[0] / early[0])


async def run(stage: Stage) -> AsyncGenerator[Figure, None]:
    """Measure."""
    stage.tell("e2e: making points")
    chunks = stage.tracks.chunks(stage.options.points)
    frames = [frame.encode(chunk) for chunk in chunks]
    for figure in await _drain(stage, chunks, frames):
        yield figure
    yield await _uploads(stage, chunks[: max(len(chunks) * 2 // 5, 1)])
    stage.tell("e2e: live points while a backlog is stored")
    await stage.scratch.empty_tables()
    await fill(stage, frames)
    yield await under_backlog(stage, len(frames) * CHUNK)
    await stage.scratch.empty_queue()
    await stage.scratch.empty_tables()


async def _drain(stage: Stage, chunks: Sequence[PointBatch], frames: Sequence[bytes]) -> Sequence[Figure]:
    scratch = stage.scratch
    blocks = [CopyBlock.of(part) for part in batches(chunks, stage.options.batch)]
    rows = replaced.rows(chunks, replaced.POINTS)
    points = len(frames) * CHUNK
    memory = _Memory()
    waiting: list[float] = []

    async def bare() -> float:
        return await bare_copy(stage, blocks)

    async def ours() -> float:
        await scratch.empty_tables()
        await fill(stage, frames)
        return points / await _drained(stage, points, memory)

    async def theirs() -> float:
        await scratch.empty_tables(REPLACED.table)
        before = await used_memory(scratch.redis, scratch.redis_url)
        await replaced.enqueue(scratch, rows)
        waiting.append((await used_memory(scratch.redis, scratch.redis_url) - before) / len(rows))
        return len(rows) / await replaced.drain(scratch)

    rounds = await stage.rounds("e2e: drain", [bare, theirs, ours])
    against_copy = [(base, rate) for base, _, rate in rounds]
    against_replaced = [(base, rate) for _, base, rate in rounds]
    size = f"{points:,} upload points in {CHUNK:,}-point frames"
    note = f"by rate: {points:,} points, and {len(rows):,} of the replaced strategy"
    factor = Target(8 if scratch.timescaledb else 4)
    figures = [
        compared("e2e", "drain, one worker", floors.COPY, against_copy, target=Target(0.85), note=size),
        compared("e2e", "drain, against what pointq replaces", replaced.WHAT, against_replaced, target=factor, note=note),
        replace(
            measured("e2e", "memory in Redis, the replaced strategy", "B/point", waiting),
            bytes_per_point=median(waiting),
        ),
    ]
    return [*figures, _worker_memory(memory)] if memory.peak else figures


async def _drained(stage: Stage, points: int, memory: _Memory) -> float:
    """Drain the lane with one worker process; the seconds from the first delivery to the last completion."""
    watch = Watch(stage, stage.scratch.lane(UPLOAD), points)
    memory.samples.clear()
    async with worker(stage, drain=True) as process:
        pid = await worker_pid(stage)
        while not await watch.look():
            if resident := resident_mib(pid):
                memory.samples.append((watch.done, resident))
            await pause()
        ended = time.perf_counter()
        memory.note(pid)
        await process.ended()
    memory.ended(points)
    await _check(stage, points)
    return ended - (watch.started or ended)


async def _check(stage: Stage, points: int) -> None:
    """A figure counts only if the rows are there."""
    cursor = await stage.scratch.connection.execute(
        "SELECT count(*), (SELECT sum(points) FROM flights) FROM uploaded_track_points"
    )
    if (row := await cursor.fetchone()) != (points, points):
        raise PointqError(f"{points} points were to be stored, and the tables have {row}: the speed means nothing")


def _worker_memory(memory: _Memory) -> Figure:
    figure = measured("e2e", "worker, peak memory", "MiB", [memory.peak], target=Target(250, at_least=False))
    growth = f"{max(memory.growth):.2f} times as much at the end as after a quarter" if memory.growth else None
    return replace(figure, note=growth, chart="MiB by points stored", series=tuple(memory.samples))


async def _uploads(stage: Stage, chunks: Sequence[PointBatch]) -> Figure:
    """Uploads over HTTP to rows: the load generator, the server, the worker and the database on this machine."""
    stage.tell("e2e: making uploads")
    scratch = stage.scratch
    points = len(chunks) * CHUNK
    blocks = [CopyBlock.of(part) for part in batches(chunks, stage.options.batch)]
    bodies = [json_body(chunk) for chunk in chunks]

    async with served(stage) as server, worker(stage):
        requests = [request(server.url, UPLOAD.endpoint, body) for body in bodies]
        await worker_pid(stage)

        async def bare() -> float:
            return await bare_copy(stage, blocks)

        async def ours() -> float:
            await scratch.empty_tables()
            # the queue is empty; were its counters deleted, the server and the worker would take it for a loss and restore them
            before = await done(stage, scratch.lane(UPLOAD))
            started = time.perf_counter()
            accepted(await closed_loop(server.url, requests, connections=UPLOADERS))
            await settled(stage, scratch.lane(UPLOAD), before + points)
            seconds = time.perf_counter() - started
            await _check(stage, points)
            return points / seconds

        pairs = await stage.pairs("e2e: uploads to rows", bare, ours)
        peak = peak_mib(server.pid)
    note = f"{points:,} points a round" + (f"; serve took {peak:.0f} MiB at most" if peak else "")
    return compared(
        "e2e", "1,000-point uploads over HTTP to committed rows", floors.COPY, pairs, target=Target(0.55), note=note
    )
