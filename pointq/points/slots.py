"""A point whose fields are slots: what a JSON decoder that knows the kind makes, at less than the cost of an object's dict.

There is one type of point a kind. Its slots are named as the JSON fields, and hold what JSON has for them, as a dict would; a
field that was absent is null. Only what has a right to be there fits: numbers and not bools for numbers, texts for texts.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

import msgspec

from pointq.points.kinds import Column, ColumnType, Kind

Point = msgspec.Struct
"""The base of all types of points."""

_NUMBER = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float
"""Larger integers are floats to one decoder and integers to another; no column has room for them."""
_JSON_TYPES: dict[ColumnType, Any] = {
    ColumnType.FLOAT: _NUMBER,
    ColumnType.INT: _NUMBER,
    ColumnType.BOOL: bool,
    ColumnType.TIME: str | _NUMBER,
    ColumnType.TEXT: str,
}


@cache
def point_type(kind: Kind) -> type[Point]:
    """The type of that kind's points."""
    # no cycles go through numbers and texts, so the garbage collector need not know of them
    return msgspec.defstruct("Point", list(map(_slot, kind.columns)), kw_only=True, forbid_unknown_fields=True, gc=False)


def _slot(column: Column) -> tuple[str, Any] | tuple[str, Any, Any]:
    json_type = _JSON_TYPES[column.type]
    return (column.json, json_type) if column.required else (column.json, json_type | None, None)


def values_of_slots(kind: Kind, points: Sequence[Point]) -> list[tuple[Column, Sequence[Any]]]:
    """For each column that is required or that some point has, the values of all points.

    A point without slots raises AttributeError.
    """
    found = [(column, _reader(column.json)(points)) for column in kind.columns]
    return [(column, values) for column, values in found if column.required or not _all_null(values)]


@cache
def _reader(name: str) -> Callable[[Sequence[Point]], list[Any]]:
    """A function that reads that slot of all points.

    Written out, since the interpreter knows the place of a slot that it has seen by name: for a thousand points a quarter to
    half of the time of `attrgetter`, and half to two thirds of that of all slots at once by `msgspec.structs.astuple`.
    """
    reader: Callable[[Sequence[Point]], list[Any]] = eval(f"lambda points: [p.{name} for p in points]")  # noqa: S307 - of `kinds`
    return reader


def _all_null(values: Sequence[Any]) -> bool:
    return values[0] is None and values.count(None) == len(values)
