"""PointBatch: the one thing that travels through pointq."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pointq.points.flights import Flight
from pointq.points.kinds import Column, ColumnType, Kind

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class PointBatch:
    """Points of one kind, as columns.

    `flights` is a small table without repeats (one entry a UUID); `flight` says for each point which of them it belongs
    to, shape (n,), int32. `columns` holds one array of shape (n,) for each column that has a value in any point, of the NumPy
    type of its `ColumnType`, NULL in band. A column that is left out is NULL in every point; `time`, `lat` and `lon` are
    always there and never NULL.
    """

    kind: Kind
    flights: tuple[Flight, ...]
    flight: NDArray[np.int32]
    columns: Mapping[str, Array]

    def __len__(self) -> int:
        """How many points."""
        return len(self.flight)

    @property
    def time(self) -> NDArray[np.int64]:
        """Times of the fixes, microseconds since 1970 UTC, shape (n,)."""
        return self.columns["time"]

    def column(self, name: str) -> Array:
        """The column of that name, made of NULLs where the batch has none."""
        present = self.columns.get(name)
        return present if present is not None else nulls(self.kind.by_name[name], len(self))

    def take(self, rows: Array) -> "PointBatch":
        """The points at those indices, or where that mask is true, in that order; `flights` stays as it is."""
        return PointBatch(
            self.kind, self.flights, self.flight[rows], {name: values[rows] for name, values in self.columns.items()}
        )

    def only(self, rows: Array) -> "PointBatch":
        """The same as `take`, with no other flights than those of these points."""
        part = self.take(rows)
        used, flight = np.unique(part.flight, return_inverse=True)
        return PointBatch(self.kind, tuple(self.flights[i] for i in used.tolist()), flight.astype(np.int32), part.columns)

    def parts(self, most: int) -> Iterator["PointBatch"]:
        """The batch in parts of at most so many points, in order."""
        if len(self) <= most:
            yield self
            return
        for start in range(0, len(self), most):
            yield self.only(np.arange(start, min(start + most, len(self))))

    def equals(self, other: "PointBatch") -> bool:
        """Whether both hold the same points of the same flights in the same order, bit for bit."""
        if self.kind is not other.kind or self.flights != other.flights or len(self) != len(other):
            return False
        pairs = [(self.flight, other.flight)]
        pairs += [(self.column(column.name), other.column(column.name)) for column in self.kind.columns]
        return all(_bits(a) == _bits(b) for a, b in pairs)


def nulls(column: Column, count: int) -> Array:
    """An array of NULLs of that column's type, shape (count,)."""
    dtype = "S1" if column.type is ColumnType.TEXT else column.type.value.dtype
    return np.full(count, column.type.value.null, dtype)


def is_null(column: Column, values: Array) -> NDArray[np.bool_]:
    """Which values are NULL, shape (n,)."""
    if column.type is ColumnType.FLOAT:
        return np.isnan(values)
    mask: NDArray[np.bool_] = values == column.type.value.null
    return mask


def concat(batches: Sequence[PointBatch]) -> PointBatch:
    """All points of batches of one kind, in order; flights with the same UUID become one."""
    if len(batches) == 1:
        return batches[0]
    kind = batches[0].kind
    flights, index = merge_flights(flight for batch in batches for flight in batch.flights)
    renumbered = [np.array([index[flight.uuid] for flight in batch.flights], np.int32)[batch.flight] for batch in batches]
    present = {name for batch in batches for name in batch.columns}
    columns = {
        column.name: np.concatenate([batch.column(column.name) for batch in batches])
        for column in kind.columns
        if column.name in present
    }
    return PointBatch(kind, flights, np.concatenate(renumbered), columns)


def merge_flights(flights: Iterable[Flight]) -> tuple[tuple[Flight, ...], dict[UUID, int]]:
    """The flights without repeats, the first of each UUID kept, and the place of each UUID among them."""
    merged: dict[UUID, Flight] = {}
    for flight in flights:
        merged.setdefault(flight.uuid, flight)
    return tuple(merged.values()), {uuid: place for place, uuid in enumerate(merged)}


def _bits(values: Array) -> bytes:
    if values.dtype.kind == "S":
        # widths may differ where the content does not
        return b"\0".join(values.tolist())
    return values.tobytes()
