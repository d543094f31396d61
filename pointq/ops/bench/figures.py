"""What a benchmark found: figures beside floors, and what may be said of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["met", "missed", "not proven"]
Chart = Literal["points/s by batch size", "ms by percentile", "MiB by points stored"]

ENOUGH_PAIRS = 7
"""Below this a median is no proof, and no target is called met or missed."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach."""

    bound: float
    at_least: bool = True
    """False: it should stay below."""

    def judge(self, low: float, high: float) -> Verdict:
        """What may be said where the figure's spread runs from `low` to `high`."""
        if low <= self.bound <= high and low != high:
            return "not proven"
        return "met" if (low >= self.bound) is self.at_least or low == self.bound else "missed"

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing: their median, and their quartiles as the spread."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of those values, of which there is at least one."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. Rates are points a second, except where `unit` says otherwise."""

    suite: str
    name: str
    unit: str = "points/s"
    points_per_second: float | None = None
    floor: str | None = None
    """What the floor is."""
    floor_points_per_second: float | None = None
    ratio: float | None = None
    """The median of `pairs` ratios, each of two measurements made one after the other."""
    ratio_low: float | None = None
    ratio_high: float | None = None
    pairs: int | None = None
    value: float | None = None
    """The figure, where it is neither a rate nor a ratio: `unit` says what."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    bytes_per_point: float | None = None
    target: str | None = None
    target_value: float | None = None
    """The number in the target, for scripts and charts."""
    verdict: Verdict | None = None
    note: str | None = None
    chart: Chart | None = None
    """What the series show."""
    series: Sequence[tuple[float, float]] = field(default=(), repr=False)
    """Pairs of x and y."""
    floor_series: Sequence[tuple[float, float]] = field(default=(), repr=False)
    """The same of the floor."""


def compared(
    suite: str,
    name: str,
    floor: str,
    pairs: Sequence[tuple[float, float]],
    *,
    target: Target | None = None,
    unit: str = "points/s",
    note: str | None = None,
) -> Figure:
    """A figure from pairs of rates, the floor's first."""
    ratio = Spread.of([candidate / base for base, candidate in pairs])
    verdict = target.judge(ratio.low, ratio.high) if target else None
    return Figure(
        suite=suite,
        name=name,
        unit=unit,
        points_per_second=statistics.median(candidate for _, candidate in pairs),
        floor=floor,
        floor_points_per_second=statistics.median(base for base, _ in pairs),
        ratio=ratio.median,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        pairs=ratio.count,
        target=str(target) if target else None,
        target_value=target.bound if target else None,
        verdict="not proven" if verdict and ratio.count < ENOUGH_PAIRS else verdict,
        note=note,
    )


def measured(
    suite: str, name: str, unit: str, values: Sequence[float], *, target: Target | None = None, note: str | None = None
) -> Figure:
    """A figure that has no floor, from one measurement or several."""
    spread = Spread.of(values)
    return Figure(
        suite=suite,
        name=name,
        unit=unit,
        value=spread.median,
        target=f"{target} {unit}" if target else None,
        target_value=target.bound if target else None,
        verdict=target.judge(spread.low, spread.high) if target else None,
        note=note,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
