"""JSON points to columns: what is good in them, and why the rest is not.

Whole columns are checked, never points; Python looks at a single point only to say what is wrong with it. So one point and
a hundred thousand are validated by the same code, and points of many requests are best validated together.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array, is_null, nulls
from pointq.points.columns import Mask, find_null, read_bools, read_numbers, read_texts, replaced
from pointq.points.kinds import Column, ColumnType, Kind
from pointq.points.rejects import NO_REJECTS, Rejects
from pointq.points.rules import DAY_US, FIRST_TIME, LONGEST_AHEAD_US, POWER_UP_DAY
from pointq.points.slots import Point, values_of_slots
from pointq.points.times import NAT, parse_times

_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True, eq=False)
class Validated:
    """What is left of a list of JSON points.

    `columns` holds the good points only, as `PointBatch` wants them: arrays of shape (m,), of the columns that have a value.
    `rows` are the places of the good points in the list, ascending, shape (m,). `rejects` are the others, by index.
    """

    columns: Mapping[str, Array]
    rows: NDArray[np.int64]
    rejects: Rejects


def validate(kind: Kind, points: Sequence[Any], *, now_us: int) -> Validated:
    """Check points as the JSON decoder made them against the columns of a kind.

    `now_us` is the present in microseconds since 1970. Unknown fields are ignored; a field that is null or absent is NULL
    where the column may be; so is a negative number where the column says that it stands for "unknown".
    """
    if not points:
        return Validated({name: nulls(kind.by_name[name], 0) for name in ("time", "lat", "lon")}, np.arange(0), NO_REJECTS)
    no_object = None
    try:
        values = _values(kind, points)
    except (TypeError, AttributeError):
        no_object = np.fromiter((not isinstance(point, dict | Point) for point in points), np.bool_, len(points))
        values = _mixed(kind, replaced(list(points), no_object, {}))
    checked = _check(values, now_us)
    bad = checked.bad(no_object)
    if bad is None:
        return Validated(_with_values(kind, checked.columns), np.arange(len(points)), NO_REJECTS)
    good = ~bad
    columns = {name: values[good] for name, values in checked.columns.items()}
    indices = np.flatnonzero(bad)
    rejects = Rejects(points, indices, checked.first_wrong(kind, indices), kind.columns, now_us)
    return Validated(_with_values(kind, columns), np.flatnonzero(good), rejects)


def _with_values(kind: Kind, columns: Mapping[str, Array]) -> dict[str, Array]:
    """Those columns that have a value in some point, in the order of the kind."""
    named = [(column, columns[column.name]) for column in kind.columns if column.name in columns]
    return {column.name: values for column, values in named if column.required or not is_null(column, values).all()}


@dataclass(slots=True)
class _Checked:
    """All columns of all points, and for those with wrong values, which these are."""

    columns: dict[str, Array]
    wrong: dict[str, Mask]

    def add(self, name: str, values: Array, wrong: Mask | None) -> None:
        """Set a column; what is wrong in it comes on top of what was found before."""
        self.columns[name] = values
        if wrong is not None and wrong.any():
            self.wrong[name] = self.wrong[name] | wrong if name in self.wrong else wrong

    def bad(self, no_object: Mask | None) -> Mask | None:
        """Which points are not good; None where all are."""
        masks = [*self.wrong.values(), *([] if no_object is None else [no_object])]
        return np.logical_or.reduce(masks) if masks else None

    def first_wrong(self, kind: Kind, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place in the kind of the first wrong column of each of those points."""
        found = np.zeros(len(rows), np.int64)
        for place, column in reversed(list(enumerate(kind.columns))):
            if (wrong := self.wrong.get(column.name)) is not None:
                found[wrong[rows]] = place
        return found


_Values = list[tuple[Column, Sequence[Any]]]


def _values(kind: Kind, points: Sequence[Any]) -> _Values:
    """For each column that is required or that some point has, the values of all points, None where there is none.

    Points that are not all of one sort raise TypeError or AttributeError: looking at the type of each takes as long as reading
    a column of it.
    """
    return values_of_slots(kind, points) if isinstance(points[0], Point) else _values_of_dicts(kind, points)


def _mixed(kind: Kind, points: Sequence[Any]) -> _Values:
    """The same for points of both sorts: those of each sort that stand together are read together."""
    runs = [list(run) for _, run in groupby(points, type)]
    by_run = [{column.name: values for column, values in _values(kind, run)} for run in runs]
    columns = [column for column in kind.columns if any(column.name in own for own in by_run)]
    return [(column, _joined(column.name, runs, by_run)) for column in columns]


def _joined(name: str, runs: list[list[Any]], by_run: list[dict[str, Sequence[Any]]]) -> list[Any]:
    parts = [own.get(name) or [None] * len(run) for run, own in zip(runs, by_run, strict=True)]
    return list(chain.from_iterable(parts))


def _values_of_dicts(kind: Kind, points: Sequence[Any]) -> _Values:
    first = points[0]
    # looked up by the very objects that the decoder uses as keys, a field is found by identity: a third faster
    keys = dict(zip(first, first, strict=True))
    present = [column for column in kind.columns if column.json in keys]
    if len(present) == len(keys) and set(map(len, points)) == {len(keys)}:
        try:
            # as many fields as the first point, and all of its: no point has another
            found = [(column, list(map(itemgetter(keys[column.json]), points))) for column in present]
        except KeyError:
            pass
        else:
            missing = [(column, [None] * len(points)) for column in kind.columns if column.required and column not in present]
            return [*found, *missing]
    names = set().union(*points)
    columns = [column for column in kind.columns if column.required or column.json in names]
    return [(column, _values_of(keys.get(column.json, column.json), points)) for column in columns]


def _values_of(name: str, points: Sequence[Any]) -> list[Any]:
    try:
        return list(map(itemgetter(name), points))
    except KeyError:
        return list(map(dict.get, points, repeat(name)))


def _check(values: _Values, now_us: int) -> _Checked:
    checked = _Checked({}, {})
    numbers = []
    for column, of_column in values:
        if column.type is ColumnType.TIME:
            checked.add(column.name, *_check_times(column, of_column, now_us))
        elif column.type is ColumnType.BOOL:
            checked.add(column.name, *read_bools(of_column))
        elif column.type is ColumnType.TEXT:
            checked.add(column.name, *read_texts(of_column, column.max_bytes))
        else:
            numbers.append((column, of_column))
    _check_numbers(checked, numbers)
    return checked


def _check_times(column: Column, values: Sequence[Any], now_us: int) -> tuple[Array, Mask | None]:
    times = parse_times(values)
    if not column.required:
        wrong = times == NAT
        return times, wrong & ~find_null(values) if wrong.any() else wrong
    first, last = int(np.minimum.reduce(times)), int(np.maximum.reduce(times))
    # NAT is before everything
    if first >= POWER_UP_DAY + DAY_US and last <= now_us + LONGEST_AHEAD_US:
        return times, None
    power_up = (times >= POWER_UP_DAY) & (times < POWER_UP_DAY + DAY_US)
    return times, (times < FIRST_TIME) | (times > now_us + LONGEST_AHEAD_US) | power_up


def _check_numbers(checked: _Checked, numbers: _Values) -> None:
    """The columns of numbers, their ranges all at once as a matrix of shape (columns, n): fast also for one point."""
    matrix, nulls = read_numbers([values for _, values in numbers])
    least, largest = np.minimum.reduce(matrix, axis=1).tolist(), np.maximum.reduce(matrix, axis=1).tolist()
    for (column, _), array, null, first, last in zip(numbers, matrix, nulls, least, largest, strict=True):
        low, high = _limits(column)
        # NaN is within no range
        is_fine = low <= first and last <= high and column.type is ColumnType.FLOAT
        wrong = None if is_fine else _check_column(column, array, null)
        checked.add(column.name, array if column.type is ColumnType.FLOAT else _integers(array, wrong), wrong)
    lat, lon = checked.columns["lat"], checked.columns["lon"]
    checked.add("lat", lat, (lat == 0) & (lon == 0))


def _check_column(column: Column, values: Array, null: Mask | None) -> Mask:
    """Which numbers of a column are wrong; those that stand for "unknown" become NaN in place."""
    low, high = _limits(column)
    wrong = ~((values >= low) & (values <= high))
    if column.type is ColumnType.INT:
        wrong |= values != np.rint(values)
    if column.negative_is_unknown:
        unknown = (values < 0) & (values >= -_LARGEST)
        values[unknown] = np.nan
        wrong &= ~unknown
    return wrong if null is None or column.required else wrong & ~null


def _limits(column: Column) -> tuple[float, float]:
    """The least and the largest number of a column."""
    low = -_LARGEST if column.minimum is None else column.minimum
    high = _LARGEST if column.maximum is None else column.maximum
    return low, high


def _integers(values: Array, wrong: Mask | None) -> Array:
    """Whole numbers within the range of the type, and NaN, as a column of integers; what is wrong becomes NULL."""
    null = ColumnType.INT.value.null
    return np.where(wrong | np.isnan(values), null, values).astype(ColumnType.INT.value.dtype)
