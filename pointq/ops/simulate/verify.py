"""What was answered 202 against the rows in the tables, point by point."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
from psycopg import AsyncConnection

from pointq.ops.reach import database, in_time
from pointq.ops.simulate.device import Device
from pointq.ops.simulate.recorder import record
from pointq.points.batch import PointBatch, concat
from pointq.points.flights import Flight, device_day_flights
from pointq.points.kinds import FLYMASTER
from pointq.store.mapping import PLAIN, Tables
from pointq.store.points import keys_of

WAIT_SECONDS = 30.0
"""How long nothing may be stored before what is missing counts as missing."""

_POLL_SECONDS = 0.5
_QUARTER_US = 900_000_000
"""No time zone's day begins within a quarter of an hour."""

Key = tuple[int, float, float]
"""Time in microseconds, latitude, longitude."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a comparison found."""

    checked: int
    """Points that were accepted, each of them looked for."""
    missing: int
    """Accepted, and in no row."""
    extra: int
    """Rows of these flights that nobody sent."""
    waited_seconds: float
    """For the workers."""


async def verify(
    url: str,
    devices: Sequence[Device],
    zone: tzinfo,
    tick: Callable[[int], Awaitable[bool]],
    *,
    patience: float,
    tables: Tables = PLAIN,
    wait: float = WAIT_SECONDS,
) -> Verification:
    """Look in that database for every accepted point, each flight recorded anew; wait for the workers while they store some.

    `tick` is told how many flights are left, and says whether to go on waiting. Raises DatabaseError, also where the server
    says nothing for `patience` seconds when it is to let in.
    """
    began = moved = time.monotonic()
    checked = missing = extra = 0
    async with database(url, patience) as connection:
        for place, device in enumerate(devices):
            expected, uncertain = _sent(device)
            least: int | None = None
            while True:
                rows = await in_time(_stored(connection, device, zone, tables), connection, url)
                lost = len(expected - rows)
                if least is None or lost < least:
                    least, moved = lost, time.monotonic()
                goes_on = await tick(len(devices) - place)
                if not lost or not goes_on or time.monotonic() - moved > wait:
                    break
                await asyncio.sleep(_POLL_SECONDS)
            checked, missing = checked + len(expected), missing + lost
            extra += len(rows - expected - uncertain)
    return Verification(checked, missing, extra, round(time.monotonic() - began, 1))


def _sent(device: Device) -> tuple[set[Key], set[Key]]:
    """The keys of the points that must be in the table, and of those that may be."""
    pieces = list(record(device.pilot, device.task))
    wrong = np.concatenate([piece.wrong for piece in pieces]) if pieces else np.empty(0, np.uint8)
    keys = _keys(concat([piece.batch for piece in pieces])) if pieces else []
    return tuple(  # type: ignore[return-value]
        {keys[row] for first, stop in ranges.spans for row in range(first, stop) if not wrong[row]}
        for ranges in (device.accepted, device.uncertain)
    )


def _keys(batch: PointBatch) -> list[Key]:
    return list(zip(batch.time.tolist(), batch.columns["lat"].tolist(), batch.columns["lon"].tolist(), strict=True))


async def _stored(connection: AsyncConnection[Any], device: Device, zone: tzinfo, tables: Tables) -> set[Key]:
    """The rows of the flight, within the competition's time."""
    plan = device.pilot.plan
    span = (plan.start_us, plan.start_us + int(plan.duration * 1e6))
    return set(await keys_of(connection, tables.points[device.pilot.kind.name], _flights(device, span, zone), span))


def _flights(device: Device, span: tuple[int, int], zone: tzinfo) -> Sequence[Flight]:
    pilot = device.pilot
    if pilot.kind is not FLYMASTER:
        return next(record(pilot, device.task)).batch.flights[:1]
    # the server makes a flight of each day of an instrument
    times = np.arange(span[0], span[1] + _QUARTER_US, _QUARTER_US, dtype=np.int64)
    flights, _ = device_day_flights(FLYMASTER.name, pilot.device_id, times, zone)
    return flights
