"""``bench redis``: the way into the queue and out of it, and what waiting points cost."""

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pointq.ops.bench.figures import Figure, Target, compared, measured
from pointq.ops.bench.igc import folder_of_files
from pointq.ops.bench.memory import used_memory
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.scratch import BARE
from pointq.ops.bench.tracks import CHUNK
from pointq.ops.importing.importer import Importer
from pointq.ops.importing.options import Options
from pointq.ops.importing.readers import Processes
from pointq.ops.importing.ways import QueueWay
from pointq.ops.source import Source
from pointq.points import frame
from pointq.points.kinds import UPLOAD
from pointq.queue.connection import connect, translated
from pointq.queue.consumer import Consumer, Outcome
from pointq.queue.durability import Acknowledgement, acknowledgement, persistence
from pointq.queue.measure import measure
from pointq.queue.producer import Append, Producer

if TYPE_CHECKING:
    from redis.asyncio import Redis

ADDED = "bare XADD of the same frames, awaited one by one, equally durable"
READ = "bare XREADGROUP, then XACK and XDEL"

_READ_ENTRIES = 20
"""Entries of 1,000 points that are read at a time: a worker's transaction."""
_GROUP = "bare"


async def run(stage: Stage) -> AsyncGenerator[Figure, None]:
    """Measure."""
    chunks = stage.tracks.chunks(stage.options.some_points)
    frames = [frame.encode(batch) for batch in chunks]
    with translated(stage.scratch.redis_url):
        server = await persistence(stage.scratch.redis)
        awaited = acknowledgement(server, stage.backends.durability, stage.backends.min_replicas)
        yield await _enqueue(stage, frames, awaited)
        yield await _deliver(stage, frames)
        yield await _files_waiting(stage)
        yield await _uploads_waiting(stage, frames)


async def _enqueue(stage: Stage, frames: Sequence[bytes], awaited: Acknowledgement) -> Figure:
    scratch = stage.scratch
    appends = _appends(stage, frames)
    producer = Producer(scratch.redis, scratch.redis_url, awaited)

    async def bare() -> float:
        await scratch.empty_queue()
        started = time.perf_counter()
        for data in frames:
            await _add(scratch.redis, scratch.key(BARE.table), data, awaited)
        return len(frames) * CHUNK / (time.perf_counter() - started)

    async def ours() -> float:
        await scratch.empty_queue()
        started = time.perf_counter()
        for append in appends:
            await producer.enqueue([append])
        return len(frames) * CHUNK / (time.perf_counter() - started)

    return compared("redis", "durable enqueue, 1,000-point frames", ADDED, await stage.pairs("redis: enqueue", bare, ours))


async def _add(redis: "Redis", key: str, data: bytes, awaited: Acknowledgement) -> None:
    fields: dict[Any, Any] = {"n": CHUNK, "f": data}
    if not awaited.waits:
        await redis.xadd(key, fields)
        return
    async with redis.pipeline(transaction=False) as pipe:
        pipe.xadd(key, fields)
        pipe.execute_command("WAITAOF", awaited.local, awaited.replicas, 0)
        await pipe.execute()


async def _deliver(stage: Stage, frames: Sequence[bytes]) -> Figure:
    scratch = stage.scratch
    lane = scratch.lane(UPLOAD)
    key = scratch.key(BARE.table)

    async def bare() -> float:
        await scratch.empty_queue()
        async with scratch.redis.pipeline(transaction=False) as pipe:
            for data in frames:
                pipe.xadd(key, {"n": CHUNK, "f": data})
            pipe.xgroup_create(key, _GROUP, "0")
            await pipe.execute()
        started = time.perf_counter()
        while reply := await _read(scratch.redis, key):
            ids = [entry for entry, _ in reply[0][1]]
            async with scratch.redis.pipeline(transaction=True) as pipe:
                pipe.xack(key, _GROUP, *ids)
                pipe.xdel(key, *ids)
                await pipe.execute()
        return len(frames) * CHUNK / (time.perf_counter() - started)

    async def ours() -> float:
        await fill(stage, frames)
        consumer = Consumer(scratch.redis, scratch.redis_url, "bench")
        started = time.perf_counter()
        while (entries := await consumer.read(lane, _READ_ENTRIES * CHUNK))[0]:
            points = sum(entry.points for entry in entries[0])
            await consumer.complete(lane, Outcome(entries[0], points, 0))
        return len(frames) * CHUNK / (time.perf_counter() - started)

    pairs = await stage.pairs("redis: deliver and complete", bare, ours)
    await scratch.empty_queue()
    return compared("redis", "deliver and complete", READ, pairs)


async def _read(redis: "Redis", key: str) -> Any:  # noqa: ANN401 - Redis replies are untyped
    return await redis.xreadgroup(_GROUP, "one", {key: ">"}, count=_READ_ENTRIES)


async def fill(stage: Stage, frames: Sequence[bytes]) -> int:
    """Make the lane of uploads wait with exactly these 1,000-point frames; the bytes of Redis memory that they take."""
    scratch = stage.scratch
    await scratch.empty_queue()
    before = await used_memory(scratch.redis, scratch.redis_url)
    # a connection of its own: what it buffers must not be taken for memory of the points
    redis = connect(scratch.redis_url)
    producer = Producer(redis, scratch.redis_url, Acknowledgement())
    try:
        for start in range(0, len(frames), 100):
            await producer.enqueue(_appends(stage, frames[start : start + 100]))
    finally:
        await redis.aclose()
    return await used_memory(scratch.redis, scratch.redis_url) - before


async def _uploads_waiting(stage: Stage, frames: Sequence[bytes]) -> Figure:
    stage.tell("redis: memory of waiting uploads")
    taken = await fill(stage, frames) / (len(frames) * CHUNK)
    await stage.scratch.empty_queue()
    return memory_figure("redis", "memory, phone uploads of 1,000 points", taken, Target(16, at_least=False))


async def _files_waiting(stage: Stage) -> Figure:
    stage.tell("redis: memory of waiting files")
    scratch = stage.scratch
    before = await used_memory(scratch.redis, scratch.redis_url)
    with TemporaryDirectory() as temporary:
        files = folder_of_files(stage.tracks, stage.options, Path(temporary))
        redis = connect(scratch.redis_url)
        reader = Processes(1)
        way = QueueWay(Producer(redis, scratch.redis_url, Acknowledgement()), scratch.lanes, None)
        try:
            reports = [report async for report in Importer(way, Options(), reader).run(map(_source, files))]
        finally:
            await reader.close()
            await redis.aclose()
    lane = scratch.lane(UPLOAD)
    taken = await used_memory(scratch.redis, scratch.redis_url) - before
    waiting = (await measure(scratch.redis, scratch.redis_url, lane)).ready_points
    await scratch.empty_queue()
    figure = memory_figure("redis", "memory, IGC files as imported", taken / max(waiting, 1), Target(12, at_least=False))
    return replace(figure, note=f"{waiting:,} fixes of {len(reports)} files")


def memory_figure(suite: str, name: str, taken: float, target: Target) -> Figure:
    """Bytes of Redis memory a waiting point."""
    return replace(measured(suite, name, "B/point", [taken], target=target), bytes_per_point=taken)


def _source(path: Path) -> Source:
    return Source(path.name, path.name, path.read_bytes)


def _appends(stage: Stage, frames: Sequence[bytes]) -> list[Append]:
    lane = stage.scratch.lane(UPLOAD)
    return [Append(lane, data, CHUNK) for data in frames]
