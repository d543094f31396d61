"""Following points through the queue: until they are stored, and how many of them were new."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from pointq.ops.importing.patience import Patience
from pointq.ops.importing.report import FileReport
from pointq.points.flights import Flight
from pointq.queue.lanes import Lane
from pointq.queue.producer import Producer
from pointq.store.flights import stored_points
from pointq.store.mapping import PLAIN, Tables

_ASKED = 100
"""Entries that are asked for at a time."""

_Flight = tuple[str, UUID]
"""Its kind and its UUID."""

Followed = tuple[FileReport, Mapping[Flight, int]]
"""A file in the queue, and its fixes by flight."""


class Follower:
    """Knows what the database held before, and which entries of the queue are an import's."""

    def __init__(self, database: AsyncConnection[Any], tables: Tables = PLAIN) -> None:
        self._database = database
        self._tables = tables
        self._flights: dict[_Flight, Flight] = {}
        self._before: dict[_Flight, int] = {}
        self._entries: defaultdict[Lane, list[str]] = defaultdict(list)

    @property
    def kinds(self) -> set[str]:
        """The kinds of points that were enqueued."""
        return {lane.kind.name for lane in self._entries}

    async def remember(self, kind: str, flights: Iterable[Flight]) -> None:
        """Look at flights before their points are enqueued."""
        unknown = [flight for flight in flights if (kind, flight.uuid) not in self._before]
        self._flights |= {(kind, flight.uuid): flight for flight in unknown}
        self._before |= await self._stored(kind, unknown)

    def enqueued(self, lane: Lane, entry: str) -> None:
        """An entry of the queue that is waited for."""
        self._entries[lane].append(entry)

    async def wait(self, producer: Producer, patience: Patience) -> None:
        """Until every entry is stored. Raises what `Patience.step` does."""
        batches = sum(map(len, self._entries.values()))
        for lane, ids in self._entries.items():
            # entries are stored in order, nearly: one after the other is asked for, so that no question is long
            for done in range(0, len(ids), _ASKED):
                asked = ids[done : done + _ASKED]
                while left := await producer.remaining(lane, asked):
                    left += batches - len(asked)
                    await patience.step(f"storing: {left} batches left", f"{left} batches are not stored")
                batches -= len(asked)

    async def settle(self, files: Sequence[Followed]) -> list[FileReport]:
        """The reports with what was new, once all is stored."""
        after: dict[_Flight, int] = {}
        for kind, flights in self._by_kind().items():
            after |= await self._stored(kind, flights)
        new = {flight: points - self._before[flight] for flight, points in after.items()}
        return [_settled(report, flights, new, after) for report, flights in files]

    async def _stored(self, kind: str, flights: Sequence[Flight]) -> dict[_Flight, int]:
        return {(kind, each): n for each, n in (await stored_points(self._database, kind, flights, self._tables)).items()}

    def _by_kind(self) -> dict[str, list[Flight]]:
        grouped: defaultdict[str, list[Flight]] = defaultdict(list)
        for (kind, _), flight in self._flights.items():
            grouped[kind].append(flight)
        return grouped


def _settled(
    report: FileReport, flights: Mapping[Flight, int], new: dict[_Flight, int], after: Mapping[_Flight, int]
) -> FileReport:
    """The report of one file; what was new in a flight is credited to the first file that has it."""
    if report.outcome != "queued" or report.kind is None:
        return report
    mine = missing = 0
    for flight, fixes in flights.items():
        key = (report.kind, flight.uuid)
        credit = min(fixes, new[key])
        new[key] -= credit
        mine += credit
        missing += max(fixes - after[key], 0)
    if missing:
        error = f"{missing} fixes left the queue and are not in the database: see the dead letters in `pointq status`"
        return replace(report, new=mine, outcome="failed", error=error)
    return replace(report, new=mine, outcome="stored" if mine else "nothing new")
