"""The usual body, decoded straight into points with slots: no dict a point, and no look at the type of each value later.

A body is usual if it is JSON of the shape that the contract names, with no field that pointq does not know and each value of
its type. For every other body the answer is None: whoever asked decodes it in the general way, and finds out what is wrong, if
anything is. The values are the same either way.
"""

from functools import cache
from typing import Any, Protocol

import msgspec

from pointq.points.kinds import SCORING, Kind
from pointq.points.slots import Point, point_type


class Usual(Protocol):
    """What a usual body says."""

    points: list[Point]
    flight_id: str | None
    device_id: str | None
    flight_uuid: str | None


def points_field(kind: Kind) -> str:
    """The name of the list of points in a body."""
    return "tracks" if kind is SCORING else "track_points"


def decode_usual(kind: Kind, body: bytes) -> Usual | None:
    """What a usual body says; None where it is not one."""
    try:
        return _decoder(kind).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


@cache
def _decoder(kind: Kind) -> msgspec.json.Decoder[Usual]:
    points = list[point_type(kind)]  # type: ignore[misc,valid-type] # it is made of the kind's columns
    ids = [(name, str | None, None) for name in ("flight_id", "device_id", "flight_uuid")]
    fields: list[Any] = [("points", points), *ids]
    rename = {"points": points_field(kind)}
    document: Any = msgspec.defstruct("Document", fields, rename=rename, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(document)
