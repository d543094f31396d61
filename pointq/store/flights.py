"""What `flights` says."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def stored_points(connection: AsyncConnection[Any], kind: str, flights: Sequence[UUID]) -> dict[UUID, int]:
    """How many points each of those flights has; flights that are not there have none."""
    cursor = await connection.execute(
        "SELECT flight_uuid, points FROM flights WHERE kind = %s AND flight_uuid = ANY(%s)", (kind, list(flights))
    )
    found = {row[0]: int(row[1]) for row in await cursor.fetchall()}
    return {flight: found.get(flight, 0) for flight in flights}
