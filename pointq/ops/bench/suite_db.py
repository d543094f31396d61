"""``bench db``: what the writer reaches of the database's own speed, on one connection."""

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from statistics import median

from pointq.errors import PointqError
from pointq.ops.bench import floors, replaced
from pointq.ops.bench.figures import Figure, Target, compared, measured
from pointq.ops.bench.floors import ArrayBlock, CopyBlock
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.scratch import BARE, REPLACED
from pointq.ops.bench.tracks import batches, sized, total, with_repeats
from pointq.points.batch import PointBatch
from pointq.store.prepared import prepare
from pointq.store.writer import Writer

_REPEATED = 0.01
_SIZES = (100, 1_000, 5_000, 20_000, 50_000)
"""Batch sizes of the chart."""
_MOST_BATCHES = 60
_SIZE_ROUNDS = 3
_INSERTED = 10_000
"""Points of the replaced strategy's executemany."""


async def run(stage: Stage) -> AsyncGenerator[Figure, None]:
    """Measure."""
    parts = batches(stage.tracks.chunks(stage.options.some_points), stage.options.batch)
    writer = Writer(stage.scratch.database_url)
    try:
        yield await _fresh(stage, writer, parts)
        yield await _duplicates(stage, writer, parts)
        yield await _some_duplicates(stage, writer, parts)
        yield await _sizes(stage, writer)
        yield await _executemany(stage, parts)
    finally:
        await writer.close()
        await stage.scratch.empty_tables()


async def _fresh(stage: Stage, writer: Writer, parts: Sequence[PointBatch]) -> Figure:
    blocks = [CopyBlock.of(part) for part in parts]

    async def bare() -> float:
        return await bare_copy(stage, blocks)

    async def ours() -> float:
        await stage.scratch.empty_tables()
        return total(parts) / await _write(writer, parts, new=total(parts))

    pairs = await stage.pairs("db: fresh rows", bare, ours)
    note = f"{total(parts):,} points in batches of {stage.options.batch:,}{_hypertables(stage)}"
    return compared("db", "fresh rows", floors.COPY, pairs, target=Target(0.90), note=note)


async def _duplicates(stage: Stage, writer: Writer, parts: Sequence[PointBatch]) -> Figure:
    blocks = [ArrayBlock.of(part) for part in parts]
    await bare_copy(stage, [CopyBlock.of(part) for part in parts])
    await stage.scratch.empty_tables()
    await _write(writer, parts, new=total(parts))

    async def bare() -> float:
        return total(parts) / await floors.insert(stage.scratch.connection, blocks)

    async def ours() -> float:
        return total(parts) / await _write(writer, parts, new=0)

    pairs = await stage.pairs("db: all duplicates", bare, ours)
    return compared("db", "all duplicates", floors.INSERT, pairs, target=Target(0.90))


async def _some_duplicates(stage: Stage, writer: Writer, parts: Sequence[PointBatch]) -> Figure:
    blocks = [CopyBlock.of(part) for part in parts]
    mixed = with_repeats(parts, _REPEATED, stage.options.seed)

    async def bare() -> float:
        return await bare_copy(stage, blocks)

    async def ours() -> float:
        await stage.scratch.empty_tables()
        return total(parts) / await _write(writer, mixed, new=total(parts))

    pairs = await stage.pairs("db: 1 % duplicates", bare, ours)
    note = "rates count the fresh rows alone"
    return compared("db", "1 % duplicates in every batch", floors.COPY, pairs, target=Target(0.65), note=note)


async def bare_copy(stage: Stage, blocks: Sequence[CopyBlock]) -> float:
    """Copy the blocks into the empty bare table; points a second."""
    await stage.scratch.empty_tables(BARE.table)
    return await floors.copy(stage.scratch.connection, blocks)


async def _write(writer: Writer, parts: Sequence[PointBatch], new: int) -> float:
    """Prepare and write, one after the other; the seconds that it took."""
    stored = 0
    started = time.perf_counter()
    for part in parts:
        stored += (await writer.write(prepare(part))).stored
    seconds = time.perf_counter() - started
    if stored != new:
        raise PointqError(f"the writer stored {stored} new rows where {new} were expected: its speed means nothing")
    return seconds


async def _sizes(stage: Stage, writer: Writer) -> Figure:
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for size in _SIZES:
        stage.tell(f"db: batches of {size:,} points")
        parts = sized(stage.tracks.chunks(stage.options.some_points), size)[:_MOST_BATCHES]
        blocks = [CopyBlock.of(part) for part in parts]
        rates = []
        for _ in range(min(_SIZE_ROUNDS, stage.options.pairs)):
            floor = await bare_copy(stage, blocks)
            await stage.scratch.empty_tables()
            rates.append((floor, total(parts) / await _write(writer, parts, new=total(parts))))
        bare.append((size, median(floor for floor, _ in rates)))
        ours.append((size, median(rate for _, rate in rates)))
    return Figure(
        suite="db",
        name="fresh rows by batch size",
        points_per_second=max(rate for _, rate in ours),
        floor=floors.COPY,
        floor_points_per_second=max(rate for _, rate in bare),
        note="the best of all sizes; the series has every size",
        chart="points/s by batch size",
        series=tuple(ours),
        floor_series=tuple(bare),
    )


async def _executemany(stage: Stage, parts: Sequence[PointBatch]) -> Figure:
    stage.tell("db: the replaced strategy's executemany")
    rows = replaced.rows(parts, _INSERTED)
    rates = []
    for _ in range(min(_SIZE_ROUNDS, stage.options.pairs)):
        await stage.scratch.empty_tables(REPLACED.table)
        started = time.perf_counter()
        for start in range(0, len(rows), replaced.POPPED):
            await replaced.insert(stage.scratch.connection, rows[start : start + replaced.POPPED])
        rates.append(len(rows) / (time.perf_counter() - started))
    figure = measured("db", "the replaced strategy's executemany", "points/s", rates)
    return replace(figure, points_per_second=figure.value, value=None)


def _hypertables(stage: Stage) -> str:
    version = stage.scratch.timescaledb
    return f", into hypertables of TimescaleDB {version}" if version else ""
