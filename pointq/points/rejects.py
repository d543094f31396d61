"""Points that were not accepted, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pointq.points.kinds import Column
from pointq.points.rules import explain
from pointq.points.shown import shown
from pointq.points.slots import Point


@dataclass(frozen=True, slots=True)
class Reject:
    """One point that was not accepted."""

    index: int
    """Its place in the list of points."""
    field: str
    """The JSON field that is wrong, the first in the order of the kind's columns; empty where the point is no object."""
    reason: str
    """What was expected and what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Rejects(Sequence[Reject]):
    """Points that were not accepted, by index.

    Each is explained when it is looked at: of a hundred thousand an answer lists a hundred.
    """

    points: Sequence[Any] = field(repr=False)
    """All points, the good ones too."""
    indices: NDArray[np.int64]
    """Places of those that were not accepted, ascending, shape (m,)."""
    wrong: NDArray[np.int64]
    """For each the place of its first wrong column in `columns`, where it is an object, shape (m,)."""
    columns: Sequence[Column]
    now_us: int
    start: int = 0
    """The place that counts as the first."""

    def __len__(self) -> int:
        """How many."""
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> Reject: ...

    @overload
    def __getitem__(self, place: slice) -> "Rejects": ...

    def __getitem__(self, place: int | slice) -> "Reject | Rejects":
        """One of them, or some."""
        if isinstance(place, slice):
            return replace(self, indices=self.indices[place], wrong=self.wrong[place])
        return self._explained(int(self.indices[place]), int(self.wrong[place]))

    def within(self, start: int, end: int) -> "Rejects":
        """Those of the points from `start` to before `end`, numbered from there."""
        first, last = np.searchsorted(self.indices, (start, end)).tolist()
        return replace(self[first:last], start=start)

    def by_field(self) -> Mapping[str, int]:
        """How many there are for each `Reject.field`."""
        return Counter(self._field(*place) for place in zip(self.indices.tolist(), self.wrong.tolist(), strict=True))

    def _field(self, index: int, wrong: int) -> str:
        return self.columns[wrong].json if isinstance(self.points[index], dict | Point) else ""

    def _explained(self, index: int, wrong: int) -> Reject:
        point = self.points[index]
        if not isinstance(point, dict | Point):
            return Reject(index - self.start, "", f"a point must be a JSON object, found {shown(point)}")
        column = self.columns[wrong]
        return Reject(index - self.start, column.json, explain(column, _field(point, column.json), self.now_us))


def _field(point: Any, name: str) -> object:  # noqa: ANN401 - what the JSON decoder made
    return point.get(name) if isinstance(point, dict) else getattr(point, name)


NO_REJECTS = Rejects((), np.arange(0), np.arange(0), (), 0)
