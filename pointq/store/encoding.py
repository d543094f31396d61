"""Columns to PostgreSQL's binary formats: rows for COPY, arrays for unnest.

Both are made the same way: a NumPy record holds one row as PostgreSQL wants it, length words and all, with room for the
longest value; where a value is NULL or shorter, a mask drops the bytes that are too many. Formats:
https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format") and ``array_recv`` in the server's source.
"""

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array, PointBatch, is_null
from pointq.points.kinds import Column, ColumnType

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"

_PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01; in microseconds since 1970."""

_ELEMENT_OID = {
    ColumnType.FLOAT: 701,
    ColumnType.INT: 23,
    ColumnType.BOOL: 16,
    ColumnType.TIME: 1184,
    ColumnType.TEXT: 25,
}
"""Of pg_type.dat: float8, int4, bool, timestamptz, text."""
_OID_UUID = 2950
_OID_INT8 = 20


def present_columns(batch: PointBatch) -> tuple[Column, ...]:
    """The columns in which any point has a value, in the kind's order; the others need not be sent."""
    return tuple(column for column in batch.kind.columns if column.name in batch.columns)


def uuid_bytes(batch: PointBatch) -> NDArray[np.void]:
    """The UUIDs of the batch's flights, shape (flights,), 16 bytes each."""
    return np.frombuffer(b"".join(flight.uuid.bytes for flight in batch.flights), "V16")


class CopyRows:
    """The rows of a batch for ``COPY … (FORMAT binary)``, encoded once; any part of them can be taken."""

    def __init__(self, batch: PointBatch, columns: Sequence[Column]) -> None:
        fields = [_Field("flight_uuid", uuid_bytes(batch)[batch.flight])]
        fields += [_field(column, batch.columns[column.name]) for column in columns]
        self._rows, self._keep = _records(fields, head=pack("!h", len(fields)))

    def take(self, rows: NDArray[np.bool_] | None = None) -> bytes:
        """The rows where the mask is true, or all, with header and trailer."""
        data = self._rows if rows is None else self._rows[rows]
        keep = self._keep if rows is None or self._keep is None else self._keep[rows]
        return b"".join((COPY_HEADER, _squeeze(data, keep), COPY_TRAILER))


def array(column: Column, values: Array) -> bytes:
    """A column as the binary form of a one-dimensional array."""
    return _array([_field(column, values)], _ELEMENT_OID[column.type], len(values))


def uuid_array(values: NDArray[np.void]) -> bytes:
    """``uuid[]`` of 16-byte values."""
    return _array([_Field("", values)], _OID_UUID, len(values))


def bigint_array(values: NDArray[np.int64]) -> bytes:
    """``bigint[]``, none of them NULL."""
    return _array([_Field("", values.astype(">i8"))], _OID_INT8, len(values))


class _Field:
    """One field of the record: its values as PostgreSQL wants them and, where they vary, their lengths (-1: NULL)."""

    __slots__ = ("lengths", "name", "values")

    def __init__(self, name: str, values: Array, lengths: NDArray[np.int64] | None = None) -> None:
        self.name = name
        self.values = values
        self.lengths = lengths


def _field(column: Column, values: Array) -> _Field:
    null = is_null(column, values)
    some = bool(null.any())
    if column.type is ColumnType.TEXT:
        return _Field(column.name, values, np.where(null, -1, np.char.str_len(values)))
    wire = _wire(column, values)
    return _Field(column.name, wire, np.where(null, -1, wire.dtype.itemsize) if some else None)


def _wire(column: Column, values: Array) -> Array:
    if column.type is ColumnType.TIME:
        # what wraps around here is NULL, and goes as such
        return (values - _PG_EPOCH_US).astype(">i8")
    # by the column's type, not the array's: whole numbers in a column of floats would be taken for the bits of floats
    return values.astype(np.dtype(column.type.value.dtype).newbyteorder(">"), copy=False)


def _records(fields: Sequence[_Field], head: bytes = b"") -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    count = len(fields[0].values)
    names = [f"v{i}" for i in range(len(fields))]
    layout = [("head", f"V{len(head)}")] if head else []
    for name, field in zip(names, fields, strict=True):
        layout += [(f"{name}_length", ">i4"), (name, field.values.dtype.str)]
    records = np.empty(count, np.dtype(layout))
    if head:
        records["head"] = np.void(head)
    for name, field in zip(names, fields, strict=True):
        records[f"{name}_length"] = field.values.dtype.itemsize if field.lengths is None else field.lengths
        records[name] = field.values
    data = records.view(np.uint8).reshape(count, records.dtype.itemsize)
    return data, _keep(fields, names, records.dtype, count)


def _keep(fields: Sequence[_Field], names: Sequence[str], dtype: np.dtype[np.void], count: int) -> NDArray[np.bool_] | None:
    if all(field.lengths is None for field in fields):
        return None
    keep = np.ones((count, dtype.itemsize), np.bool_)
    offsets: Mapping[str, Any] = dtype.fields or {}
    for name, field in zip(names, fields, strict=True):
        if field.lengths is not None:
            start = offsets[name][1]
            width = field.values.dtype.itemsize
            keep[:, start : start + width] = np.arange(width) < field.lengths[:, None]
    return keep


def _squeeze(data: NDArray[np.uint8], keep: NDArray[np.bool_] | None) -> bytes:
    return data.tobytes() if keep is None else data[keep].tobytes()


def _array(fields: Sequence[_Field], element_oid: int, count: int) -> bytes:
    has_null = any(field.lengths is not None and bool((field.lengths < 0).any()) for field in fields)
    if not count:
        return pack("!iii", 0, 0, element_oid)
    return pack("!iiiii", 1, has_null, element_oid, count, 1) + _squeeze(*_records(fields))
