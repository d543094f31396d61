"""What `flights` says."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from pointq.errors import DatabaseError
from pointq.store.faults import one_line


async def stored_points(connection: AsyncConnection[Any], kind: str, flights: Sequence[UUID]) -> dict[UUID, int]:
    """How many points each of those flights has; flights that are not there have none.

    Raises DatabaseError.
    """
    try:
        cursor = await connection.execute(
            "SELECT flight_uuid, points FROM flights WHERE kind = %s AND flight_uuid = ANY(%s)", (kind, list(flights))
        )
        found = {row[0]: int(row[1]) for row in await cursor.fetchall()}
    except psycopg.Error as exc:
        raise DatabaseError(f"the table flights cannot be read: {one_line(exc)}", hint="`pointq db init` makes it") from exc
    return {flight: found.get(flight, 0) for flight in flights}
