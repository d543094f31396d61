"""Points as clients send them: the bodies of requests."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from pointq.points.batch import PointBatch
from pointq.points.kinds import SCORING, Column, ColumnType

Changes = Mapping[int, Mapping[str, object]]
"""What stands in place of some values of a point, by its row and the JSON name of its column."""

_KMH_PER_MPS = 3.6


def json_body(batch: PointBatch, changes: Changes | None = None) -> bytes:
    """The points of one flight as they are posted to the endpoint of their kind; columns without any value are left out."""
    (flight,) = batch.flights
    columns = [column for column in batch.kind.columns if column.name in batch.columns]
    values = [_values(column, batch) for column in columns]
    keys = [column.json for column in columns]
    points: list[dict[str, Any]] = [dict(zip(keys, row, strict=True)) for row in zip(*values, strict=True)]
    for row, change in (changes or {}).items():
        points[row] |= change
    name = "tracks" if batch.kind is SCORING else "track_points"
    return orjson.dumps({"flight_id": flight.flight_id, "device_id": flight.device_id, name: points})


def flymaster_body(batch: PointBatch, secret: str | None, changes: Changes | None = None) -> bytes:
    """The points of one instrument as it uploads them, signed with the secret; without one the key is that of none.

    Times are whole seconds. Raises ValueError where the device is no serial number.
    """
    (flight,) = batch.flights
    serial = int(flight.device_id or "")
    digest = hashlib.sha256(f"{serial}{secret or ''}".encode()).hexdigest()
    seconds = batch.time // 1_000_000
    names = ("lat", "lon", "elevation", "speed", "heading")
    columns = [batch.column(name).tolist() for name in names]
    rows = [
        _row(uploaded, second, {**dict(zip(names, row, strict=True)), **(changes or {}).get(place, {})})
        for place, (uploaded, second, *row) in enumerate(
            zip((batch.column("uploaded_at") // 1_000_000).tolist(), seconds.tolist(), *columns, strict=True)
        )
    ]
    return "\r\n".join([f"{serial}, {digest}", *rows, "EOF\r\n"]).encode("ascii")


def _row(uploaded: int, second: int, values: Mapping[str, Any]) -> str:
    speed = values["speed"] * _KMH_PER_MPS
    return f"{uploaded},{second},{values['lat']},{values['lon']},{values['elevation']:.0f},{speed:.1f},{values['heading']:.0f}"


def _values(column: Column, batch: PointBatch) -> Sequence[Any]:
    """As JSON has them, None where NULL."""
    null = column.type.value.null
    listed: list[Any] = batch.columns[column.name].tolist()
    match column.type:
        case ColumnType.FLOAT:
            return listed  # orjson writes NaN as null
        case ColumnType.TIME:
            return [None if us == null else iso(us) for us in listed]
        case ColumnType.BOOL:
            return [None if value == null else bool(value) for value in listed]
        case ColumnType.TEXT:
            return [None if value == null else value.decode() for value in listed]
        case _:
            return [None if value == null else value for value in listed]


def iso(us: int) -> str:
    """A time as phones send it, to the millisecond."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
