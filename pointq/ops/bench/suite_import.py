"""``bench import``: files of a flight recorder, parsed and stored."""

import io
import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pointq.errors import FormatError
from pointq.formats.batches import to_batch
from pointq.formats.detect import Hints, parse
from pointq.ops.bench import floors
from pointq.ops.bench.figures import Figure, Target, compared, measured
from pointq.ops.bench.floors import CopyBlock
from pointq.ops.bench.igc import folder_of_files
from pointq.ops.bench.lanes import settled
from pointq.ops.bench.processes import resident_mib, worker, worker_pid
from pointq.ops.bench.rounds import Stage
from pointq.ops.bench.suite_db import bare_copy
from pointq.ops.importing.importer import Importer
from pointq.ops.importing.options import Options
from pointq.ops.importing.readers import Processes, default_jobs
from pointq.ops.importing.ways import QueueWay
from pointq.ops.source import Source
from pointq.points.batch import PointBatch, concat
from pointq.points.kinds import UPLOAD
from pointq.queue.producer import Producer, open_producer

_SMALL_FILES = 20
"""Different ones among them: a lap of these is short, so that ten thousand take seconds."""
_GROWTH_MIB = 16.0
"""A leak of two kilobytes a file is found."""
_PARSED_FIXES = 150_000
"""Fixes that the readers compete for: one of them takes two seconds for these."""

Read = Callable[[Path], int]
"""Reads a file; how many fixes it has."""


async def run(stage: Stage) -> AsyncGenerator[Figure, None]:
    """Measure."""
    with TemporaryDirectory() as temporary:
        files = folder_of_files(stage.tracks, stage.options, Path(temporary))
        for name, read, bound in (("aerofiles", _aerofiles, 30.0), ("libigc", _libigc, 12.0)):
            yield await _parsing(stage, files, name, read, Target(bound))
        yield await _storing(stage, files)
        if (figure := _memory(stage, files)) is not None:
            yield figure


async def _parsing(stage: Stage, files: Sequence[Path], name: str, read: Read, target: Target) -> Figure:
    title = f"parsing IGC, against {name}"
    if find_spec(name) is None:
        return Figure("import", title, "fixes/s", target=str(target), target_value=target.bound, note=f"needs {name}")
    # neighbours in a folder are often of one logger
    shuffled = np.random.default_rng(stage.options.seed).permutation(len(files)).tolist()
    chosen = _readable([files[i] for i in shuffled], read, min(_PARSED_FIXES, stage.options.some_points))

    async def theirs() -> float:
        return _rate(chosen, read)

    async def ours() -> float:
        return _rate(chosen, _own)

    pairs = await stage.pairs(f"import: parsing, {name}", theirs, ours)
    note = f"{len(chosen)} files that both read alike"
    return compared("import", title, f"{name} on the same files", pairs, target=target, unit="fixes/s", note=note)


def _memory(stage: Stage, files: Sequence[Path]) -> Figure | None:
    """What stays in memory after many files; None where the system does not say."""
    many = stage.options.many_files
    stage.tell(f"import: parsing {many:,} files")
    small = sorted(files, key=lambda path: path.stat().st_size)[:_SMALL_FILES]
    _parse_in_turn(small, many // 10)
    before = resident_mib(os.getpid())
    _parse_in_turn(small, many)
    after = resident_mib(os.getpid())
    if before is None or after is None:
        return None
    note = f"{len(small)} files in turn, parsed and made into batches; {after:.0f} MiB in the end, this whole benchmark's"
    target = Target(_GROWTH_MIB, at_least=False)
    return measured("import", f"memory, growth over {many:,} files", "MiB", [after - before], target=target, note=note)


def _parse_in_turn(files: Sequence[Path], count: int) -> None:
    for path in islice(cycle(files), count):
        _batch(path)


def _readable(files: Sequence[Path], read: Read, fixes: int) -> list[Path]:
    """Files that the other reader takes too, finding as many fixes, until there are enough."""
    chosen: list[Path] = []
    for path in files:
        try:
            found = read(path)
        except Exception:  # noqa: BLE001, S112 - whatever a reader of others' raises, the file is none to compare with
            continue
        if found and found == _own(path):
            chosen.append(path)
            fixes -= found
        if fixes <= 0:
            break
    return chosen


def _rate(files: Sequence[Path], read: Read) -> float:
    started = time.perf_counter()
    fixes = sum(map(read, files))
    return fixes / (time.perf_counter() - started)


def _own(path: Path) -> int:
    return len(parse(path.read_bytes(), Hints(time.time_ns() // 1000, path.name)))


def _aerofiles(path: Path) -> int:
    from aerofiles.igc import Reader  # noqa: PLC0415 - need not be installed

    _, fixes = Reader().read(io.StringIO(path.read_text("latin-1")))["fix_records"]
    return len(fixes)


def _libigc(path: Path) -> int:
    from libigc import Flight  # noqa: PLC0415 - need not be installed

    return len(Flight.create_from_file(str(path)).fixes)


async def _storing(stage: Stage, files: Sequence[Path]) -> Figure:
    stage.tell("import: making the floor's rows")
    scratch = stage.scratch
    blocks = [CopyBlock.of(batch) for batch in _batches(files, stage.options.batch)]
    rows = sum(block.points for block in blocks)
    reader = Processes(default_jobs())

    async def bare() -> float:
        return await bare_copy(stage, blocks)

    async def ours() -> float:
        await scratch.empty_tables()
        await scratch.empty_queue()
        started = time.perf_counter()
        importer = Importer(QueueWay(await _producer(stage), scratch.lanes, None), Options(), reader)
        fixes = sum([report.fixes async for report in importer.run(map(_source, files))])
        await settled(stage, scratch.lane(UPLOAD), fixes)
        return rows / (time.perf_counter() - started)

    try:
        async with worker(stage):
            await worker_pid(stage)
            pairs = await stage.pairs("import: files to rows", bare, ours)
    finally:
        await reader.close()
    note = f"{len(files)} files, {rows:,} fixes; read, parsed, queued, stored by one worker"
    return compared("import", "files to committed rows", floors.COPY, pairs, target=Target(0.5), unit="fixes/s", note=note)


async def _producer(stage: Stage) -> Producer:
    return await open_producer(
        stage.scratch.redis, stage.scratch.redis_url, stage.backends.durability, stage.backends.min_replicas
    )


def _batches(files: Sequence[Path], points: int) -> list[PointBatch]:
    """The fixes of the files in order, each once, in batches of that size."""
    flights: dict[object, PointBatch] = {}
    for path in files:
        if (batch := _batch(path)) is not None:
            # the same fixes under another name are the same flight
            flights.setdefault(batch.flights[0].uuid, batch)
    everything = concat(list(flights.values()))
    rows = range(0, len(everything), points)
    return [everything.only(np.arange(start, min(start + points, len(everything)))) for start in rows]


def _batch(path: Path) -> PointBatch | None:
    try:
        batch = to_batch(parse(path.read_bytes(), Hints(time.time_ns() // 1000, path.name)), UPLOAD)
    except FormatError:
        # the importer reports it and goes on
        return None
    return batch if len(batch) else None


def _source(path: Path) -> Source:
    return Source(path.name, path.name, path.read_bytes)
