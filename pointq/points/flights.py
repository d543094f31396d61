"""Which flight a point belongs to: ids that need no database."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

NAMESPACE = UUID("8d0a2f0e-6c1b-5b7e-9a55-3f2d1c7e4b10")
"""Namespace of the UUIDv5 of a flight (the contract's)."""

_QUARTER_US = 15 * 60 * 1_000_000
"""A quarter of an hour in microseconds: no offset from UTC in use today is finer, so the local date is constant in it."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight as the points refer to it. `flight_id` is None only where the sender gave nothing but a UUID."""

    uuid: UUID
    flight_id: str | None
    device_id: str | None = None

    @classmethod
    def of(cls, kind: str, flight_id: str, device_id: str | None = None) -> "Flight":
        """The flight of that kind and id; its UUID follows from both."""
        return cls(flight_uuid(kind, flight_id), flight_id, device_id)


@lru_cache(maxsize=4096)
def flight_uuid(kind: str, flight_id: str) -> UUID:
    """The UUIDv5 of ``kind:flight_id``."""
    return uuid5(NAMESPACE, f"{kind}:{flight_id}")


def device_day_flights(
    kind: str, device_id: str, times: NDArray[np.int64], zone: tzinfo = UTC
) -> tuple[tuple[Flight, ...], NDArray[np.int32]]:
    """Flights of a device that sends no flight id: ``<device>:<YYYY-MM-DD>``, by the date of each fix in `zone`.

    `times` are microseconds since 1970, shape (n,). Returns the flights and, for each time, the index of its flight.
    """
    quarters, at = np.unique(times // _QUARTER_US, return_inverse=True)
    days = [datetime.fromtimestamp(q * 900, UTC).astimezone(zone).date().isoformat() for q in quarters.tolist()]
    index = {day: i for i, day in enumerate(dict.fromkeys(days))}
    flights = tuple(Flight.of(kind, f"{device_id}:{day}", device_id) for day in index)
    flight_of_quarter = np.fromiter((index[day] for day in days), np.int32, len(days))
    return flights, flight_of_quarter[at]
