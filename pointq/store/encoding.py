"""Columns to PostgreSQL's binary formats: rows for COPY, arrays for unnest.

Both are made the same way: a NumPy record holds one row as PostgreSQL wants it, length words and all, with room for the
longest value; where a value is NULL or shorter, a mask drops the bytes that are too many. Formats:
https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format") and ``array_recv`` in the server's source.
"""

from collections.abc import Iterator, Mapping, Sequence
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array, PointBatch, is_null
from pointq.points.kinds import NULL_TEXT, Column, ColumnType

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"
BLOCK_ROWS = 1_000
"""Rows made at a time: 90 kB, which stay in the processor's cache. Fewer cost more calls into NumPy."""

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


def flight_texts(batch: PointBatch, field: str) -> Array:
    """The flight ids or device ids of the batch's flights, shape (flights,), as a column of texts has them."""
    texts = [getattr(flight, field) for flight in batch.flights]
    return np.array([NULL_TEXT if text is None else text.encode() for text in texts], "S")


def copy_blocks(
    batch: PointBatch,
    columns: Sequence[Column],
    flight_fields: Sequence[str] = ("flight_uuid",),
    constants: Sequence[bytes] = (),
) -> Iterator[bytes]:
    """The batch for ``COPY … (FORMAT binary)``, in blocks that are made one by one: the server works on one meanwhile.

    A row is what is said of the point's flight, its columns, and constants, which are in PostgreSQL's binary format already.
    """
    about = [uuid_bytes(batch) if name == "flight_uuid" else flight_texts(batch, name) for name in flight_fields]
    yield COPY_HEADER
    for start in range(0, len(batch), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        flight = batch.flight[rows]
        fields = [_flight_field(values[flight]) for values in about]
        fields += [_field(column, batch.columns[column.name][rows]) for column in columns]
        fields += [_constant(value, len(flight)) for value in constants]
        yield _records(fields, head=pack("!h", len(fields)))
    yield COPY_TRAILER


def array(column: Column, values: Array) -> bytes:
    """A column as the binary form of a one-dimensional array."""
    return _array(_field(column, values), _ELEMENT_OID[column.type])


def uuid_array(values: NDArray[np.void]) -> bytes:
    """``uuid[]`` of 16-byte values."""
    return _array(_Field(values), _OID_UUID)


def text_array(values: Array) -> bytes:
    """``text[]`` of texts as a column has them."""
    return array(_TEXT, values)


def bigint_array(values: NDArray[np.int64]) -> bytes:
    """``bigint[]``, none of them NULL."""
    return _array(_Field(values.astype(">i8")), _OID_INT8)


class _Field:
    """One field of the record: its values as PostgreSQL wants them, and their lengths (-1: NULL), one number if equal."""

    __slots__ = ("lengths", "values")

    def __init__(self, values: Array, lengths: NDArray[np.int64] | int | None = None) -> None:
        self.values = values
        self.lengths = values.dtype.itemsize if lengths is None else lengths


_TEXT = Column("", ColumnType.TEXT, "", "", "")


def _flight_field(values: Array) -> _Field:
    return _field(_TEXT, values) if values.dtype.kind == "S" else _Field(values)


def _constant(value: bytes, count: int) -> _Field:
    values = np.frombuffer(value, f"V{len(value)}") if value else np.empty(1, "V0")
    return _Field(np.broadcast_to(values, count))


def _field(column: Column, values: Array) -> _Field:
    null = is_null(column, values)
    if null.all():
        # a length word and nothing else: many recorders leave out a column, and then nothing needs a mask
        return _Field(np.empty(len(values), "V0"), -1)
    if column.type is ColumnType.TEXT:
        return _Field(values, np.where(null, -1, np.char.str_len(values)))
    wire = _wire(column, values)
    return _Field(wire, np.where(null, -1, wire.dtype.itemsize) if null.any() else None)


def _wire(column: Column, values: Array) -> Array:
    if column.type is ColumnType.TIME:
        # what wraps around here is NULL, and goes as such
        return (values - _PG_EPOCH_US).astype(">i8")
    # by the column's type, not the array's: whole numbers in a column of floats would be taken for the bits of floats
    return values.astype(np.dtype(column.type.value.dtype).newbyteorder(">"), copy=False)


def _records(fields: Sequence[_Field], head: bytes = b"") -> bytes:
    count = len(fields[0].values)
    layout = [("head", f"V{len(head)}")]
    for i, field in enumerate(fields):
        layout += [(f"length{i}", ">i4"), (f"value{i}", field.values.dtype.str)]
    records = np.empty(count, np.dtype(layout))
    records["head"] = np.void(head)
    for i, field in enumerate(fields):
        records[f"length{i}"] = field.lengths
        records[f"value{i}"] = field.values
    if all(isinstance(field.lengths, int) for field in fields):
        return records.tobytes()
    data = records.view(np.uint8).reshape(count, records.dtype.itemsize)
    return data[_keep(fields, records.dtype, count)].tobytes()


def _keep(fields: Sequence[_Field], dtype: np.dtype[np.void], count: int) -> NDArray[np.bool_]:
    keep = np.ones((count, dtype.itemsize), np.bool_)
    offsets: Mapping[str, Any] = dtype.fields or {}
    for i, field in enumerate(fields):
        if not isinstance(field.lengths, int):
            start = offsets[f"value{i}"][1]
            width = field.values.dtype.itemsize
            keep[:, start : start + width] = np.arange(width) < field.lengths[:, None]
    return keep


def _array(field: _Field, element_oid: int) -> bytes:
    count = len(field.values)
    if not count:
        return pack("!iii", 0, 0, element_oid)
    has_null = bool(np.min(field.lengths) < 0)
    return pack("!iiiii", 1, has_null, element_oid, count, 1) + _records([field])
