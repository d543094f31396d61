"""Charts as SVG text. Pure: numbers in, markup out; colours and sizes are the style sheet's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 14, 46
"""Room around the plot, for the labels of the axes; in the same units."""
_STEPS = (1, 2, 2.5, 5, 10)
_GRID = 4
"""About so many lines."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values lie on an axis, from 0 to 1, and what is written beside it."""

    label: str
    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; `style` is ``own`` or ``floor``."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


def linear(label: str, most: float) -> Axis:
    """From zero to a round number that is at least `most`."""
    step = nice(most / _GRID)
    top = step * max(math.ceil(most / step - 1e-9), 1)
    ticks = [step * i for i in range(round(top / step) + 1)]
    return Axis(label, lambda value: value / top, [(tick, short(tick)) for tick in ticks])


def logarithmic(label: str, values: Sequence[float]) -> Axis:
    """From the least value to the greatest, the values themselves as ticks."""
    low, high = math.log10(min(values)), math.log10(max(values))
    span = (high - low) or 1.0
    return Axis(label, lambda value: (math.log10(value) - low) / span, [(value, short(value)) for value in values])


def nines(label: str) -> Axis:
    """Percentiles, each further nine as far as the one before: where latencies hide."""
    most = 4.0

    def place(share: float) -> float:
        return min(-math.log10(max(1 - share / 100, 1e-9)), most) / most

    return Axis(label, place, [(0, "0"), (50, "50"), (90, "90"), (99, "99"), (99.9, "99.9"), (99.99, "99.99")])


def line_chart(x: Axis, y: Axis, lines: Sequence[Line], limit: tuple[float, str] | None = None) -> str:
    """Lines over two axes; `limit` is a value of y that has a name."""
    parts = [_grid(x, y)]
    if limit is not None:
        height = _down(y, limit[0])
        parts.append(f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>')
        parts.append(f'<text class="axis limit" x="{_LEFT + 6}" y="{height - 5}">{escape(limit[1])}</text>')
    # the own line last, above the floor's
    parts += [_line(x, y, line) for line in sorted(lines, key=lambda line: line.style == "own")]
    names = escape(f"{y.label} by {x.label}: {', '.join(line.name for line in lines)}")
    return f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{names}">{"".join(parts)}</svg>'


def ratio_bar(value: float, low: float, high: float, target: float | None, most: float) -> str:
    """One bar from zero to `value` of `most`, its spread, the target, and the floor at 1 where that is in sight."""
    scale = 100 / most
    one = f'<line class="one" x1="{scale:.2f}" x2="{scale:.2f}" y1="0" y2="28"/>' if most >= 1 else ""
    whisker = f'<line class="whisker" x1="{low * scale:.2f}" x2="{min(high, most) * scale:.2f}" y1="14" y2="14"/>'
    goal = "" if target is None else f'<line class="goal" x1="{target * scale:.2f}" x2="{target * scale:.2f}" y1="3" y2="25"/>'
    width = min(value, most) * scale
    return (
        '<svg viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="8" width="100" height="12"/>'
        f'<rect class="own" x="0" y="8" width="{width:.2f}" height="12"/>{one}{whisker}{goal}</svg>'
    )


def nice(step: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in _STEPS if factor * power >= step * (1 - 1e-9))


def short(value: float) -> str:
    """``1.2 M``, ``450 k``, ``0.85``: three digits, as they are read."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _grid(x: Axis, y: Axis) -> str:
    parts = []
    for value, text in y.ticks:
        height = _down(y, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height}" y2="{height}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 8}" y="{height + 4}" text-anchor="end">{escape(text)}</text>')
    for value, text in x.ticks:
        anchor = "end" if x.place(value) > 0.97 else "middle"  # noqa: PLR2004 - the last must not be cut
        parts.append(
            f'<text class="axis" x="{_across(x, value)}" y="{_HEIGHT - 26}" text-anchor="{anchor}">{escape(text)}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text class="axis" x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x.label)}</text>')
    return "".join(parts)


def _line(x: Axis, y: Axis, line: Line) -> str:
    places = [(_across(x, across), _down(y, up)) for across, up in line.points]
    path = " ".join(f"{across},{down}" for across, down in places)
    parts = [f'<polyline class="line {line.style}" points="{path}"/>']
    if len(places) > 20:  # noqa: PLR2004 - dots that touch say nothing
        return parts[0]
    for (across, down), (value, up) in zip(places, line.points, strict=True):
        title = escape(f"{line.name}: {short(up)} {y.label} at {short(value)} {x.label}")
        parts.append(f'<circle class="dot {line.style}" cx="{across}" cy="{down}" r="4.5"><title>{title}</title></circle>')
    return "".join(parts)


def _across(axis: Axis, value: float) -> float:
    return round(_LEFT + axis.place(value) * (_WIDTH - _LEFT - _RIGHT), 1)


def _down(axis: Axis, value: float) -> float:
    return round(_TOP + (1 - axis.place(value)) * (_HEIGHT - _TOP - _BOTTOM), 1)
