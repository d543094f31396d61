"""What `flights` says, and how much is stored of a flight."""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, sql

from pointq.errors import DatabaseError
from pointq.points.flights import Flight
from pointq.store.faults import one_line
from pointq.store.mapping import PLAIN, PointsTable, Table, Tables
from pointq.store.statements import text


@dataclass(frozen=True, slots=True)
class StoredFlight:
    """A row of `flights`: degrees, metres, UTC. Only a flight without points has no first fix and no positions."""

    kind: str
    flight_uuid: UUID
    flight_id: str | None
    device_id: str | None
    points: int
    first_fix: dt.datetime | None
    last_fix: dt.datetime | None
    last_lat: float | None
    last_lon: float | None
    last_elevation: float | None
    min_lat: float | None
    min_lon: float | None
    max_lat: float | None
    max_lon: float | None

    @property
    def flight(self) -> Flight:
        """As points refer to it."""
        return Flight(self.flight_uuid, self.flight_id, self.device_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flights are looked for; None: all."""

    kind: str | None = None
    since: dt.datetime | None = None
    """The earliest last fix."""
    device: str | None = None
    limit: int | None = None


async def find_flights(connection: AsyncConnection[Any], wanted: Wanted) -> tuple[list[StoredFlight], int]:
    """The flights with points, the one with the latest fix first, and how many there are without the limit.

    Raises DatabaseError.
    """
    parameters = {"kind": wanted.kind, "since": wanted.since, "device": wanted.device, "limit": wanted.limit}
    return await _select(connection, "find_flights", parameters)


async def flights_called(connection: AsyncConnection[Any], name: str, kind: str | None = None) -> list[StoredFlight]:
    """The flights with that id or UUID, in order of kind. Raises DatabaseError."""
    uuid = None
    with suppress(ValueError):
        uuid = UUID(name)
    flights, _ = await _select(connection, "flights_called", {"id": name, "uuid": uuid, "kind": kind})
    return flights


async def stored_points(
    connection: AsyncConnection[Any], kind: str, flights: Sequence[Flight], tables: Tables = PLAIN
) -> dict[UUID, int]:
    """How many points each of those flights has; flights that are not there have none.

    `flights` says so where it is kept for each kind, else the points are counted. Raises DatabaseError.
    """
    kept = tables.flights
    by_flights = kept is not None and {"kind", "points"} <= kept.columns.keys()
    table, by = (kept, "flight_uuid") if kept is not None and by_flights else _counted(tables.points[kind])
    keys = {flight.uuid: str(flight.uuid) if by == "flight_uuid" else flight.flight_id for flight in flights}
    query = _FROM_FLIGHTS if by_flights else _FROM_POINTS
    places = {"table": table.identifier, "flight": table.column(by)}
    if by_flights:
        places |= {"kind": table.column("kind"), "points": table.column("points")}
    try:
        cursor = await connection.execute(sql.SQL(query).format(**places), {"kind": kind, "flights": list(keys.values())})
        found = {str(row[0]): int(row[1]) for row in await cursor.fetchall()}
    except psycopg.Error as exc:
        raise DatabaseError(
            f"the table {table.shown} cannot be read: {one_line(exc)}", hint="`pointq db init` makes or checks it"
        ) from exc
    return {uuid: found.get(key or "", 0) for uuid, key in keys.items()}


def _counted(table: PointsTable) -> tuple[Table, str]:
    return table, table.flight_fields[0]


_FROM_FLIGHTS = """
    SELECT {flight}, {points} FROM {table} WHERE {kind} = %(kind)s AND {flight} = ANY(%(flights)s)
"""
# texts go without a type: they are what the column is, a uuid or a text, and its index serves
_FROM_POINTS = "SELECT {flight}, count(*) FROM {table} WHERE {flight} = ANY(%(flights)s) GROUP BY 1"


async def _select(
    connection: AsyncConnection[Any], name: str, parameters: Mapping[str, object]
) -> tuple[list[StoredFlight], int]:
    try:
        rows = await (await connection.execute(sql.SQL(text(name)), parameters)).fetchall()
    except psycopg.Error as exc:
        raise DatabaseError(f"the table flights cannot be read: {one_line(exc)}", hint="`pointq db init` makes it") from exc
    return [StoredFlight(*row[:-1]) for row in rows], int(rows[0][-1]) if rows else 0
