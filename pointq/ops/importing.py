"""Importing files: read, parse, enqueue, and, where asked, wait until all is stored."""

import asyncio
import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from pointq.errors import BackendError, PointqError, UsageError, WaitTimeout
from pointq.formats.batches import to_batch, to_split_batch
from pointq.formats.csv.names import QUANTITIES, understand
from pointq.formats.detect import Hints, parse
from pointq.formats.track import LineReject, TrackFile
from pointq.ops.sources import Source
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import FLYMASTER, UPLOAD, Kind
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from pointq.queue.sharding import by_shard
from pointq.store.flights import stored_points

_FRAME_POINTS = 10_000
"""Points in one entry of the queue: half of what a worker writes at once, so that it can fill a transaction well."""

_POLL_SECONDS = 0.1
_ASKED = 100
"""Entries that are asked for at a time, while waiting for them to be stored."""

Outcome = Literal["queued", "stored", "nothing new", "no fixes", "failed"]


@dataclass(frozen=True, slots=True)
class Options:
    """How files are understood."""

    kind: Kind | None = None
    """None: Flymaster uploads are of kind ``flymaster``, all other files ``upload``."""
    flight_id: str | None = None
    device_id: str | None = None
    date: dt.date | None = None
    """For files that know no date."""
    split: bool = False
    gap_seconds: float = 3600.0
    columns: Mapping[str, str] = field(default_factory=dict)
    """For tables: pointq's name of a column to the name in the file's header."""


def columns_of(pairs: Iterable[str]) -> dict[str, str]:
    """The columns in texts such as ``lat=Latitude``. Raises UsageError where one is none, or pointq knows no such column."""
    columns = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not (name and equals and header):
            raise UsageError(f"a column is mapped by name=Header, found {pair!r}", hint="such as --map lat=Latitude")
        if understand(name) is None:
            known = ", ".join(quantity.name for quantity in QUANTITIES)
            raise UsageError(f"there is no column {name!r} to map {header!r} to", hint=f"map one of {known}")
        columns[name.strip()] = header.strip()
    return columns


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. Times are UTC, altitudes metres."""

    file: str
    outcome: Outcome
    format: str | None = None
    kind: str | None = None
    logger: str | None = None
    flight_ids: tuple[str, ...] = ()
    records: int = 0
    """Lines that should be fixes: those accepted, those rejected, and those equal to an earlier one."""
    fixes: int = 0
    rejects: tuple[LineReject, ...] = ()
    duplicates_in_file: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    highest: float | None = None
    new: int | None = None
    """Fixes that were not in the database before; None where it was not waited for."""
    error: str | None = None


_Key = tuple[str, UUID]
"""A flight: its kind and its UUID."""


@dataclass(slots=True)
class _Imported:
    """A file that is in the queue, and what is needed to follow it."""

    report: FileReport
    flights: dict[UUID, int] = field(default_factory=dict)
    """Fixes by flight."""


class Importer:
    """Puts files into the queue, one after the other, and follows them from there."""

    def __init__(self, producer: Producer, lanes: Sequence[Lane], options: Options) -> None:
        self._producer = producer
        self._lanes = lanes
        self._options = options
        self._entries: defaultdict[Lane, list[str]] = defaultdict(list)
        self._imported: list[_Imported] = []
        self._before: dict[_Key, int] = {}

    @property
    def priorities(self) -> set[int]:
        """The priorities of the lanes that hold what it enqueued."""
        return {lane.priority for lane in self._entries}

    async def run(self, sources: Iterable[Source], database: AsyncConnection[Any] | None) -> AsyncIterator[FileReport]:
        """Import each file and report on it; one that fails does not stop the rest.

        With a `database`, what it holds of each flight is read first, so that `settle` can tell what was new.
        """
        for source in sources:
            try:
                imported = await self._import(source, database)
            except BackendError:
                # the next file fares no better
                raise
            except PointqError as exc:
                imported = _Imported(FileReport(source.name, "failed", error=_told(exc)))
            self._imported.append(imported)
            yield imported.report

    async def wait(
        self, within: float | None, tick: Callable[[int], Awaitable[None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Until everything is stored; `tick` is told how many batches are left. Raises WaitTimeout."""
        end = None if within is None else clock() + within
        batches = sum(map(len, self._entries.values()))
        for lane, ids in self._entries.items():
            # entries are stored in order, nearly: one after the other is asked for, so that no question is long
            for done in range(0, len(ids), _ASKED):
                asked = ids[done : done + _ASKED]
                while left := await self._producer.remaining(lane, asked):
                    if end is not None and clock() > end:
                        raise _not_in_time(batches - len(asked) + left, within)
                    await tick(batches - len(asked) + left)
                    await asyncio.sleep(_POLL_SECONDS)
                batches -= len(asked)

    async def settle(self, database: AsyncConnection[Any]) -> list[FileReport]:
        """The reports with what was new, once all is stored."""
        after: dict[_Key, int] = {}
        for kind, flights in self._by_kind().items():
            after |= {(kind, flight): points for flight, points in (await stored_points(database, kind, flights)).items()}
        new = {key: points - self._before[key] for key, points in after.items()}
        return [_settled(imported, new, after) for imported in self._imported]

    async def _import(self, source: Source, database: AsyncConnection[Any] | None) -> _Imported:
        hints = Hints(time.time_ns() // 1000, source.name.rpartition(":")[2], self._options.date, self._options.columns)
        track = parse(source.read(), hints)
        kind = self._options.kind or (FLYMASTER if track.format == "flymaster" else UPLOAD)
        batch = self._batch(track, kind)
        report = _report(source.name, track, batch)
        if not len(batch):
            return _Imported(report)
        counts = np.bincount(batch.flight, minlength=len(batch.flights)).tolist()
        flights = {flight.uuid: count for flight, count in zip(batch.flights, counts, strict=True)}
        if database is not None:
            await self._remember(database, kind, flights)
        await self._enqueue(batch, len(track.rejects))
        return _Imported(report, flights)

    def _batch(self, track: TrackFile, kind: Kind) -> PointBatch:
        options = self._options
        device = options.device_id or track.serial
        if options.split:
            return to_split_batch(track, kind, options.gap_seconds, device)
        return to_batch(track, kind, options.flight_id, device)

    async def _remember(self, database: AsyncConnection[Any], kind: Kind, flights: Iterable[UUID]) -> None:
        unknown = [flight for flight in flights if (kind.name, flight) not in self._before]
        for flight, points in (await stored_points(database, kind.name, unknown)).items():
            self._before[kind.name, flight] = points

    async def _enqueue(self, batch: PointBatch, rejected: int) -> None:
        lanes = [lane for lane in self._lanes if lane.kind is batch.kind]
        for start in range(0, len(batch), _FRAME_POINTS):
            rows = np.arange(start, min(start + _FRAME_POINTS, len(batch)))
            part = batch if len(rows) == len(batch) else batch.only(rows)
            appends = [
                Append(lanes[shard], frame.encode(piece), len(piece), rejected if start == 0 and i == 0 else 0)
                for i, (shard, piece) in enumerate(by_shard(part, len(lanes)))
            ]
            for append, entry in zip(appends, await self._producer.enqueue(appends), strict=True):
                self._entries[append.lane].append(entry)

    def _by_kind(self) -> dict[str, list[UUID]]:
        grouped: defaultdict[str, list[UUID]] = defaultdict(list)
        for kind, flight in self._before:
            grouped[kind].append(flight)
        return grouped


def _not_in_time(left: int, within: float | None) -> WaitTimeout:
    return WaitTimeout(
        f"{left} batches are not stored after {within:g} s; they stay in the queue",
        hint="see `pointq status`; `pointq work` starts a worker",
    )


def summary(reports: Sequence[FileReport]) -> dict[str, int | None]:
    """The sums over all files; `new` and `duplicates` are None where it was not waited for."""
    outcomes = Counter(report.outcome for report in reports)
    new = [report.new for report in reports if report.new is not None]
    fixes = sum(report.fixes for report in reports)
    in_files = sum(report.duplicates_in_file for report in reports)
    known = bool(new) or not fixes
    return {
        "files": len(reports),
        "failed": outcomes["failed"],
        "records": sum(report.records for report in reports),
        "fixes": fixes,
        "rejected": sum(len(report.rejects) for report in reports),
        "new": sum(new) if known else None,
        "duplicates": fixes - sum(new) + in_files if known else None,
    }


def _report(name: str, track: TrackFile, batch: PointBatch) -> FileReport:
    report = FileReport(
        file=name,
        outcome="queued" if len(batch) else "no fixes",
        format=track.format,
        kind=batch.kind.name,
        logger=track.logger or track.serial,
        flight_ids=tuple(flight.flight_id or "" for flight in batch.flights),
        records=track.records,
        fixes=len(batch),
        rejects=tuple(track.rejects),
        # besides repeated fixes, tracks that are in the file twice
        duplicates_in_file=track.records - len(track.rejects) - len(batch),
    )
    if not len(batch):
        return report
    return replace(report, start=_moment(batch.time.min()), end=_moment(batch.time.max()), highest=_highest(batch))


def _highest(batch: PointBatch) -> float | None:
    names = [name for name in (batch.kind.altitude, "barometric_altitude", "pressure_alt") if name in batch.columns]
    return float(np.nanmax(batch.columns[names[0]])) if names else None


def _moment(us: np.int64) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(us) / 1e6, dt.UTC)


def _settled(imported: _Imported, new: dict[_Key, int], after: Mapping[_Key, int]) -> FileReport:
    """The report of one file; what was new in a flight is credited to the first file that has it."""
    report = imported.report
    if not imported.flights or report.kind is None:
        return report
    mine = missing = 0
    for flight, fixes in imported.flights.items():
        key = (report.kind, flight)
        credit = min(fixes, new[key])
        new[key] -= credit
        mine += credit
        missing += max(fixes - after[key], 0)
    if missing:
        error = f"{missing} fixes left the queue and are not in the database: see the dead letters in `pointq status`"
        return replace(report, new=mine, outcome="failed", error=error)
    return replace(report, new=mine, outcome="stored" if mine else "nothing new")


def _told(exc: PointqError) -> str:
    return f"{exc.message}; {exc.hint}" if exc.hint else exc.message
