"""Figures of one process, kept so that keeping them costs next to nothing.

prometheus-client's own counters take 1 to 3 µs for each step, with a lock, or a write to a shared file where several processes
are counted together: of the 40 µs of a one-point post too much. A step here is an addition in a dict, or a float appended to a
list that is put into buckets, all at once by NumPy, when somebody wants to know.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pointq.metrics.families import Family

Labels = tuple[str, ...]
"""Values of a metric's labels, in their order."""

MOST_SERIES = 200
"""Of one metric: SQLSTATEs, which may have many values, are counted as other from then on."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a metric: a number, or for a histogram how many fell into each bucket and their sum."""

    labels: Labels
    value: float
    buckets: tuple[int, ...] = ()
    """Not cumulative; the last one is for what is above all bounds."""


class Count:
    """A counter; `known` are labels that it has for sure."""

    def __init__(self, family: Family, *known: Labels) -> None:
        self.family = family
        # told from the start: Prometheus sees no increase where a series begins with more than 0
        self._values: dict[Labels, float] = dict.fromkeys(known, 0)

    def add(self, number: float, *labels: str) -> None:
        """So many more."""
        values = self._values
        if labels in values:
            values[labels] += number
        else:
            place = _bounded(values, labels)
            values[place] = values.get(place, 0) + number

    def series(self) -> Iterable[Series]:
        """What there is."""
        return [Series(labels, value) for labels, value in self._values.items()]


class Gauge:
    """A number that is asked for when somebody wants to know."""

    def __init__(self, family: Family, ask: Callable[[], float], *labels: str) -> None:
        self.family = family
        self._ask = ask
        self._labels = labels

    def series(self) -> Iterable[Series]:
        """What it is now."""
        return [Series(self._labels, self._ask())]


class Spread:
    """A histogram."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._bounds = np.array(family.buckets)
        self._new: defaultdict[Labels, list[float]] = defaultdict(list)
        self._buckets: dict[Labels, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._sums: dict[Labels, float] = {}
        if not family.labels:
            self.begin()

    def begin(self, *labels: str) -> None:
        """Tell these labels before anything is observed: Prometheus sees no increase where a series begins."""
        if labels not in self._sums:
            self._sort(labels, [])

    def add(self, value: float, *labels: str) -> None:
        """One more observation."""
        self._new[labels].append(value)

    def series(self) -> Iterable[Series]:
        """What was observed, the newest too."""
        new, self._new = self._new, defaultdict(list)
        for labels, values in new.items():
            self._sort(_bounded(self._sums, labels), values)
        return [Series(labels, self._sums[labels], tuple(found.tolist())) for labels, found in self._buckets.items()]

    def _sort(self, labels: Labels, values: Sequence[float]) -> None:
        size = len(self._bounds) + 1
        # a value that equals a bound is below it, as Prometheus has it
        found = np.bincount(np.searchsorted(self._bounds, np.array(values), side="left"), minlength=size)
        self._buckets[labels] = self._buckets.get(labels, 0) + found
        self._sums[labels] = self._sums.get(labels, 0.0) + float(np.sum(values))


Figure = Count | Gauge | Spread


def _bounded(known: Mapping[Labels, object], labels: Labels) -> Labels:
    if labels in known or len(known) < MOST_SERIES:
        return labels
    return (*labels[:-1], OTHER)
