"""Points as plain values, row by row: what a person or a script reads."""

from collections.abc import Iterator

import numpy as np

from pointq.points.batch import Array, PointBatch, is_null
from pointq.points.kinds import Column, ColumnType

Value = str | float | int | bool | None
Row = dict[str, Value]

_ROWS = 1_000
"""Points that are plain values at a time: as such they take twenty times the memory."""
_SECOND_US = 1_000_000


def rows(points: PointBatch, most: int | None = None) -> Iterator[Row]:
    """Each point as ``{"flight_uuid", "flight_id", "device_id", "time", …}``, all columns of its kind, NULL as None.

    Times are RFC 3339, in UTC; other values as in the tables.
    """
    count = len(points) if most is None else min(most, len(points))
    for start in range(0, count, _ROWS):
        part = points.take(np.arange(start, min(start + _ROWS, count)))
        columns = [values(column, part.column(column.name)) for column in part.kind.columns]
        names = [column.name for column in part.kind.columns]
        flights: list[Row] = [
            {"flight_uuid": str(each.uuid), "flight_id": each.flight_id, "device_id": each.device_id} for each in part.flights
        ]
        for place, *row in zip(part.flight.tolist(), *columns, strict=True):
            yield flights[place] | dict(zip(names, row, strict=True))


def values(column: Column, array: Array) -> list[Value]:
    """A column as plain values, shape (n,) to a list of n."""
    plain = _plain(column.type, array)
    null = is_null(column, array)
    return [None if no else value for no, value in zip(null.tolist(), plain, strict=True)] if null.any() else plain


def _plain(of: ColumnType, array: Array) -> list[Value]:
    if of is ColumnType.TIME:
        known = array[array != of.value.null]
        texts = np.datetime_as_string(
            array.astype("<i8").view(np.dtype("M8[us]")), unit="us" if (known % _SECOND_US).any() else "s"
        )
        return [f"{text}Z" for text in texts.tolist()]
    if of is ColumnType.TEXT:
        return [text.decode("utf8", "replace") for text in array.tolist()]
    plain: list[Value] = (array == 1).tolist() if of is ColumnType.BOOL else array.tolist()
    return plain
