"""One file from bytes to frames and a report. Pure, so that any process can do it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from pointq.errors import FormatError, PointqError
from pointq.formats.batches import to_batch, to_split_batch
from pointq.formats.detect import Hints, is_foreign, parse
from pointq.formats.track import Rejects, TrackFile
from pointq.logs import printable
from pointq.ops.importing.figures import highest, length_km, valid_fixes
from pointq.ops.importing.options import Options
from pointq.ops.importing.report import LISTED, FileReport
from pointq.ops.source import Source
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import FLYMASTER, KINDS, UPLOAD, Kind
from pointq.queue.sharding import by_shard

PIECE_POINTS = 10_000
"""Points in one frame: half of what a worker writes at once, so that it can fill a transaction well."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read, and how."""

    name: str
    file_name: str
    data: bytes = field(repr=False)
    options: Options
    now_us: int
    shards: int = 1
    keeps_rejects: bool = False
    """Whether all rejects are wanted, not only those that a report lists: of a bad file they are many."""
    was_named: bool = True
    """As of a `Source`: what was not named may be passed over."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some points of a file; its kind by name, since a kind from another process would be a copy."""

    kind: str
    shard: int
    points: int
    frame: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read, or why it could not be."""

    report: FileReport
    pieces: tuple[Piece, ...] = ()
    flights: Mapping[Flight, int] = field(default_factory=dict)
    """Fixes by flight."""
    rejects: Rejects | None = None
    """All of them, where they are wanted."""


def read(task: Task) -> ReadFile:
    """Read a file; never raises."""
    try:
        return _read(task)
    except PointqError as exc:
        return unread(task, exc)
    except Exception as exc:  # noqa: BLE001 - one file that meets a defect must not stop the rest
        return ReadFile(FileReport(task.name, "failed", error=f"a defect in pointq: {type(exc).__name__}: {exc}"))


def failed(name: str, exc: PointqError) -> ReadFile:
    """A file that cannot be read."""
    return ReadFile(FileReport(name, "failed", error=f"{exc.message}; {exc.hint}" if exc.hint else exc.message))


def unread(file: Task | Source, exc: PointqError) -> ReadFile:
    """A file that cannot be read, or need not be: one that nobody named and that is plainly no track is passed over."""
    if not (isinstance(exc, FormatError) and is_foreign(exc, file.file_name)):
        return failed(file.name, exc)
    if file.was_named:
        return ReadFile(replace(failed(file.name, exc).report, foreign=True))
    return ReadFile(FileReport(file.name, "passed over", error=exc.message, foreign=True))


def _read(task: Task) -> ReadFile:
    options = task.options
    track = parse(task.data, Hints(task.now_us, task.file_name, options.date, options.columns))
    kind = KINDS[options.kind] if options.kind else (FLYMASTER if track.format == "flymaster" else UPLOAD)
    batch = _batch(track, kind, options)
    counts = np.bincount(batch.flight, minlength=len(batch.flights)).tolist()
    flights = dict(zip(batch.flights, counts, strict=True))
    rejects = track.rejects if task.keeps_rejects else None
    return ReadFile(_report(task.name, track, batch), tuple(_pieces(batch, task.shards)), flights, rejects)


def _batch(track: TrackFile, kind: Kind, options: Options) -> PointBatch:
    device = options.device_id or track.serial
    if options.split:
        return to_split_batch(track, kind, options.gap_seconds, device)
    return to_batch(track, kind, options.flight_id, device)


def _pieces(batch: PointBatch, shards: int) -> Iterator[Piece]:
    if not len(batch):
        return
    for part in batch.parts(PIECE_POINTS):
        for shard, piece in by_shard(part, shards):
            yield Piece(batch.kind.name, shard, len(piece), frame.encode(piece))


def _report(name: str, track: TrackFile, batch: PointBatch) -> FileReport:
    report = FileReport(
        file=name,
        outcome="readable" if len(batch) else "no fixes",
        format=track.format,
        kind=batch.kind.name,
        logger=_shown(track.logger or track.serial),
        device=_shown(track.device),
        flight_ids=tuple(flight.flight_id or "" for flight in islice(batch.flights, LISTED)),
        flights=len(batch.flights),
        records=track.records,
        fixes=len(batch),
        rejected=len(track.rejects),
        rejects=tuple(islice(track.rejects, LISTED)),
        reasons=track.rejects.counts(),
        # besides repeated fixes, tracks that are in the file twice
        duplicates_in_file=track.records - len(track.rejects) - len(batch),
    )
    if not len(batch):
        return report
    valid = valid_fixes(batch)
    return replace(
        report,
        start=_moment(batch.time.min()),
        end=_moment(batch.time.max()),
        highest=highest(batch, valid),
        length_km=length_km(batch, valid),
    )


def _shown(text: str | None) -> str | None:
    """What a file says of itself, without what a terminal or a database would trip over."""
    return printable(text) if text else None


def _moment(us: np.int64) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(us) / 1e6, dt.UTC)
