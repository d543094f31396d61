"""Which files were imported before, so that a folder that grew by a file costs that file.

A row is entered once the points of its file are durable, in the queue or in the database, and it only says which points
the file has. Whether they are stored is asked of `flights` at the next import: a file counts as imported if each of its
flights holds as many points. What was lost on the way or purged is therefore read again; what still waits in the queue is
too, which is harmless. Points that somebody deletes are known to `flights` still. Several files under one ``--flight-id``
cannot be told apart in `flights`: those are entered when they are stored.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from pointq.errors import DatabaseError
from pointq.ops.importing.pipeline import Content, Key
from pointq.ops.importing.report import FileReport
from pointq.points.flights import Flight
from pointq.store import imports
from pointq.store.imports import Imported

log = logging.getLogger("pointq.import")

_TOGETHER = 100
"""Rows that are entered in one transaction."""


class Ledger:
    """The ledger in a database; none, or one that fails, knows nothing and enters nothing.

    An import does without it rather than not at all: points that are stored twice are stored once.
    """

    def __init__(self, database: AsyncConnection[Any] | None = None, *, asks: bool = True) -> None:
        self._database = database
        self._asks = asks
        self._waiting: list[Imported] = []

    async def known(self, contents: Sequence[Content]) -> Mapping[Key, FileReport]:
        """Those files that need not be imported again."""
        if self._database is None or not self._asks or not contents:
            return {}
        try:
            found = await imports.known(self._database, [content.key for content in contents])
        except DatabaseError as exc:
            self._do_without(exc)
            return {}
        return {(row.content, row.options): _report(row) for row in found}

    async def add(self, key: Key, report: FileReport, flights: Mapping[Flight, int]) -> None:
        """Enter a file whose points are durable, by and by."""
        if self._database is not None and report.format and report.kind and report.start and report.end:
            self._waiting.append(
                Imported(
                    *key,
                    file=report.file,
                    format=report.format,
                    kind=report.kind,
                    logger=report.logger,
                    device=report.device,
                    flight_ids=list(report.flight_ids),
                    flight_uuids=[flight.uuid for flight in flights],
                    flight_points=list(flights.values()),
                    records=report.records,
                    points=report.fixes,
                    rejected=report.rejected,
                    duplicates=report.duplicates_in_file,
                    first_fix=report.start,
                    last_fix=report.end,
                    highest=report.highest,
                    length_km=report.length_km,
                )
            )
        if len(self._waiting) >= _TOGETHER:
            await self.flush()

    async def flush(self) -> None:
        """Enter what is not entered yet."""
        rows, self._waiting = self._waiting, []
        if self._database is not None and rows:
            try:
                await imports.enter(self._database, rows)
            except DatabaseError as exc:
                self._do_without(exc)

    def _do_without(self, exc: DatabaseError) -> None:
        self._database = None
        log.warning("%s; every file is read, also those imported before: %s", exc.message, exc.hint)


def _report(row: Imported) -> FileReport:
    return FileReport(
        file=row.file,
        outcome="already imported",
        format=row.format,
        kind=row.kind,
        logger=row.logger,
        device=row.device,
        flight_ids=tuple(row.flight_ids),
        flights=len(row.flight_uuids),
        records=row.records,
        fixes=row.points,
        rejected=row.rejected,
        duplicates_in_file=row.duplicates,
        start=row.first_fix,
        end=row.last_fix,
        highest=row.highest,
        length_km=row.length_km,
        new=0,
    )
