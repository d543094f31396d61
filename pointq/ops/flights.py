"""What was stored: flights as a list, and one of them as a file."""

import datetime as dt
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from shutil import copyfileobj
from typing import IO, Any, BinaryIO

from psycopg import AsyncConnection

from pointq.errors import PointqError, UsageError
from pointq.formats.writers import WRITERS, About, Section, Survey
from pointq.ops.reach import database, in_time
from pointq.store.flights import StoredFlight, Wanted, find_flights, flights_called
from pointq.store.mapping import PLAIN, PointsTable, Tables
from pointq.store.points import points_of, snapshot

_IN_MEMORY = 1 << 20
"""Bytes of a part of a file that are kept in memory before they go to a temporary file."""


@dataclass(frozen=True, slots=True)
class FlightReport:
    """A stored flight: UTC, degrees, metres, seconds."""

    kind: str
    flight_uuid: str
    flight_id: str | None
    device_id: str | None
    points: int
    first_fix: dt.datetime | None
    last_fix: dt.datetime | None
    duration_seconds: float | None
    age_seconds: float | None
    """Since the last fix; below 0 where the sender's clock is ahead."""
    last_position: dict[str, float | None] | None
    """`lat`, `lon` and `elevation`."""
    bounding_box: tuple[float | None, ...] | None
    """West, south, east, north, as in GeoJSON."""


@dataclass(frozen=True, slots=True)
class FlightList:
    """The flights that were asked for, the one with the latest fix first."""

    time: dt.datetime
    total: int
    """How many there are without the limit."""
    flights: Sequence[FlightReport]


async def look(url: str, wanted: Wanted, now: dt.datetime, patience: float) -> FlightList:
    """The stored flights. Raises DatabaseError, also where the database says nothing for `patience` seconds."""
    async with database(url, patience) as connection:
        found, total = await in_time(find_flights(connection, wanted), connection, url)
    return FlightList(now, total, [report(flight, now) for flight in found])


def report(flight: StoredFlight, now: dt.datetime) -> FlightReport:
    """That row of `flights` for a reader."""
    first, last = flight.first_fix, flight.last_fix
    return FlightReport(
        kind=flight.kind,
        flight_uuid=str(flight.flight_uuid),
        flight_id=flight.flight_id,
        device_id=flight.device_id,
        points=flight.points,
        first_fix=first,
        last_fix=last,
        duration_seconds=(last - first).total_seconds() if first and last else None,
        age_seconds=round((now - last).total_seconds(), 1) if last else None,
        last_position={"lat": flight.last_lat, "lon": flight.last_lon, "elevation": flight.last_elevation} if last else None,
        bounding_box=(flight.min_lon, flight.min_lat, flight.max_lon, flight.max_lat) if last else None,
    )


async def export(
    url: str, name: str, kind: str | None, format_name: str, out: BinaryIO, *, patience: float, tables: Tables = PLAIN
) -> StoredFlight:
    """Write the flight with that id or UUID to `out`; it is read piece by piece, and never whole in memory.

    Raises UsageError where the id means several flights, PointqError where it means none, DatabaseError.
    """
    async with database(url, patience) as connection, snapshot(connection):
        flight = _the_one(await in_time(flights_called(connection, name, kind), connection, url), name)
        stored = tables.points[flight.kind]
        survey = Survey()
        async for piece in _pieces(connection, stored, flight, url):
            survey = survey.add(piece)
        if not survey.points:
            raise PointqError(f"flight {name!r} has no points in {stored.shown}: they were deleted there")
        sections = WRITERS[format_name](About(stored.kind, flight.flight, survey))
        await _write(sections, lambda: _pieces(connection, stored, flight, url), out)
    return flight


def _the_one(flights: Sequence[StoredFlight], name: str) -> StoredFlight:
    if not flights:
        raise PointqError(f"no flight is stored with the id or UUID {name!r}", hint="`pointq flights` lists them")
    if len(flights) > 1:
        kinds = {flight.kind for flight in flights}
        found = ", ".join(f"{flight.kind} {flight.flight_uuid} ({flight.points} points)" for flight in flights)
        hint = "say which with --kind" if len(kinds) == len(flights) else "give its UUID in place of the id"
        raise UsageError(f"the id {name!r} means {len(flights)} flights: {found}", hint=hint)
    return flights[0]


async def _write(sections: Sequence[Section], pieces: Callable[[], AsyncIterator[Any]], out: BinaryIO) -> None:
    """The sections one after the other, made of all pieces in one go: what comes later waits in temporary files."""
    with ExitStack() as stack:
        rest: list[IO[bytes]] = [stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)) for _ in sections[1:]]
        files: list[IO[bytes]] = [out, *rest]
        for section, file in zip(sections, files, strict=True):
            file.write(section.before)
        async for piece in pieces():
            for section, file in zip(sections, files, strict=True):
                file.write(section.points(piece))
        for section, file in zip(sections, files, strict=True):
            file.write(section.after)
        for file in rest:
            file.seek(0)
            copyfileobj(file, out)


async def _pieces(connection: AsyncConnection[Any], table: PointsTable, flight: StoredFlight, url: str) -> AsyncIterator[Any]:
    """The points of that flight; an answer that does not come ends it."""
    if flight.first_fix is None or flight.last_fix is None:
        return
    points = points_of(connection, table, flight.flight, (flight.first_fix, flight.last_fix))
    while (piece := await in_time(anext(points, None), connection, url)) is not None:
        yield piece
