"""What several processes told, as one."""

from collections.abc import Callable, Mapping, Sequence
from operator import add

from pointq.metrics.board import Told
from pointq.metrics.families import FAMILIES
from pointq.metrics.figures import Labels, Series

_TOGETHER: Mapping[str, Callable[[float, float], float]] = {"sum": add, "min": min, "max": max}


def together(sheets: Sequence[Told]) -> Told:
    """Counters and histograms added up; gauges as their family says."""
    found: dict[str, dict[Labels, Series]] = {}
    for sheet in sheets:
        for name, all_series in sheet.items():
            of_name = found.setdefault(name, {})
            for series in all_series:
                other = of_name.get(series.labels)
                of_name[series.labels] = series if other is None else _both(_TOGETHER[FAMILIES[name].together], other, series)
    return {name: list(of_name.values()) for name, of_name in found.items()}


def counters(told: Told) -> Told:
    """What outlives its process."""
    return {name: series for name, series in told.items() if FAMILIES[name].type != "gauge"}


def _both(way: Callable[[float, float], float], one: Series, other: Series) -> Series:
    buckets = tuple(map(add, one.buckets, other.buckets))
    return Series(one.labels, way(one.value, other.value), buckets)
