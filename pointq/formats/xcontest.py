"""The live data of XContest: the track of one flight, or where all users are.

A track is ``{"flight": Feature}`` with positions ``[lon, lat, altitude, {"dt", "b"}]``: seconds since the fix before, 1 where
it is left out, and altitude by air pressure. The first fix is taken at `properties.firstFixTime`. The users are ``{"users":
{id: {"lastLoc": Feature}}}`` with one position each, ``[lon, lat, altitude, {"t", "b"}]``, `t` being its time.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FormatError, UnknownFormat
from pointq.formats.documents import (
    Positions,
    as_list,
    as_object,
    load,
    looks_like_json,
    numbers,
    read_positions,
    read_times,
)
from pointq.formats.flaws import Codes, Flaw, first_flaw
from pointq.formats.sift import Records, device_id, to_track
from pointq.formats.track import TrackFile
from pointq.points.batch import Array
from pointq.points.shown import shown_text
from pointq.points.times import NAT, explain_time, parse_time

_SIGN = re.compile(rb'"(?:firstFixTime|lastLoc)"[ \t\r\n]*+:')
_LONGEST_STEP_S = 100_000
"""Over a day: no flight has such a pause, and no sum of so small numbers overflows."""


def looks_like_xcontest(data: bytes) -> bool:
    """Whether these bytes are JSON with a key that only XContest has."""
    return looks_like_json(data) and _SIGN.search(data) is not None


def parse_xcontest(data: bytes, *, now_us: int) -> TrackFile:
    """Read a track, or the last locations of all users, each of them a part.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Raises FormatError
    where the bytes are not JSON, the document is neither of the two, or a track has fixes and does not say when it began.
    """
    document = load(data)
    if "users" in document:
        records = _users(as_object(document["users"], "users"))
    elif "flight" in document:
        records = _flight(as_object(document["flight"], "flight"))
    else:
        raise UnknownFormat("not live data of XContest: expected an object with flight or users, found neither")
    return to_track("xcontest", records, now_us)


def _flight(flight: dict[str, Any]) -> Records:
    geometry = as_object(flight.get("geometry"), "flight.geometry")
    positions = read_positions(as_list(geometry.get("coordinates"), "flight.geometry.coordinates"))
    properties = as_object(flight.get("properties"), "flight.properties")
    count = len(positions.fourth)
    start = _start(properties.get("firstFixTime")) if count else 0
    time, flaws = _times(start, positions)
    return Records(first_flaw(positions.flaws, flaws), _columns(time, positions), np.zeros(count, np.int32), [None])


def _start(value: object) -> int:
    time = parse_time(value)
    if time == NAT:
        raise FormatError(f"flight.properties.firstFixTime: {explain_time(value)}")
    return time


def _times(start: int, positions: Positions) -> tuple[NDArray[np.int64], Codes]:
    """The times of the fixes, and which are unknown: a bad dt costs its own fix and all after it. Shape (n,)."""
    # the first fix is the one that firstFixTime means
    steps = [_step(fourth, 1 if later else 0) for later, fourth in enumerate(positions.fourth)]
    [seconds] = numbers([steps])
    bad = ~(np.abs(seconds) <= _LONGEST_STEP_S) | (positions.flaws != Flaw.NONE)
    flaws = np.where(bad, np.uint8(Flaw.TIME_STEP), np.uint8(Flaw.NONE))
    flaws[np.logical_or.accumulate(bad) & ~bad] = Flaw.TIME_LOST
    micros = np.rint(np.where(bad, 0, seconds) * 1e6).astype(np.int64)
    return np.where(flaws == Flaw.NONE, start + np.cumsum(micros), 0), flaws


def _step(fourth: object, left_out: int) -> object:
    """What stands for dt, a number if all is well."""
    if fourth is None:
        return left_out
    if not isinstance(fourth, dict):
        return ""
    step = fourth.get("dt")
    return left_out if step is None else step


def _users(users: dict[str, Any]) -> Records:
    """The last location of each; the first and last fixes of their flights, which stand beside it, are not read."""
    found = [_last_location(user, f"users[{shown_text(name)}]") for name, user in users.items()]
    missing = np.fromiter((position is None for position in found), np.bool_, len(found))
    positions = read_positions([[] if position is None else position for position in found])
    time, flaws = read_times([fourth.get("t") if type(fourth) is dict else None for fourth in positions.fourth])
    missing_flaws = np.where(missing, np.uint8(Flaw.NO_LOCATION), np.uint8(Flaw.NONE))
    flaws = first_flaw(missing_flaws, positions.flaws, flaws)
    part = np.arange(len(found), dtype=np.int32)
    return Records(flaws, _columns(time, positions), part, list(map(device_id, users)))


def _last_location(user: object, where: str) -> Any:  # noqa: ANN401 - whatever stands in its place
    feature = as_object(user, where).get("lastLoc")
    if feature is None:
        return None
    geometry = as_object(as_object(feature, f"{where}.lastLoc").get("geometry"), f"{where}.lastLoc.geometry")
    return geometry.get("coordinates")


def _columns(time: NDArray[np.int64], positions: Positions) -> dict[str, Array]:
    [pressure] = numbers([[fourth.get("b") if type(fourth) is dict else None for fourth in positions.fourth]])
    return {
        "time": time,
        "lat": positions.lat,
        "lon": positions.lon,
        "elevation": positions.altitude,
        "barometric_altitude": pressure,
    }
