"""The last minutes of each lane, as curves of what came in, what went out and what waited."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from rich.text import Text

from pointq.cli.curves import curve, gathered
from pointq.cli.numbers import age, short
from pointq.ops.trend import Sample
from pointq.ops.watch import View

_NAME = 11
_GAP = 2
_PEAK = 7
"""Cells of the number behind a curve, and of the space before it."""
_LEAST_LOOKS = 60
"""Looks that a curve shows at least, several in one cell where the line is short."""
_STYLES = ("green", "blue", "magenta")

_WHAT: Sequence[tuple[str, Callable[[Sample], float]]] = (
    ("in/s", lambda sample: sample.in_rate),
    ("out/s", lambda sample: sample.out_rate),
    ("waiting", lambda sample: sample.waiting),
)


def curves(view: View, width: int, rows: int = 1, *, all_lanes: bool = True) -> list[Text]:
    """A heading, and for each kind so many lines; the number behind a curve is its highest value."""
    cells = (width - _NAME) // len(_WHAT) - _PEAK - _GAP
    kinds = [kind for kind, looks in view.looks.items() if all_lanes or _moved(looks)]
    if cells <= 0 or not kinds:
        return []
    together = -(-_LEAST_LOOKS // cells)
    lines = [_heading(view, cells, together)]
    for kind in kinds:
        lines += _lane(kind, view.looks[kind], cells, together, rows)
    return lines


def _moved(looks: Sequence[Sample | None]) -> bool:
    return any(value(look) for look in looks if look for _, value in _WHAT)


def _heading(view: View, cells: int, together: int) -> Text:
    looks = [sample for sample in max(view.looks.values(), key=len) if sample]
    gaps = [later.at - earlier.at for earlier, later in pairwise(looks)]
    span = f"last {age(cells * together * median(gaps))}" if gaps else ""
    return Text(f"{span:<{_NAME}}" + "".join(f"{name:<{cells + _PEAK + _GAP}}" for name, _ in _WHAT).rstrip(), style="dim")


def _lane(kind: str, looks: Sequence[Sample | None], cells: int, together: int, rows: int) -> list[Text]:
    lines = [Text(" " * _NAME) for _ in range(rows - 1)] + [Text(f"{kind:<{_NAME}}")]
    for (_, value), style in zip(_WHAT, _STYLES, strict=True):
        values = gathered([None if look is None else value(look) for look in looks], together)[-cells:]
        peak = max((each for each in values if each is not None), default=None)
        for line, drawn in zip(lines, curve(values, cells, rows), strict=True):
            line.append(drawn, style=style)
            label = short(peak) if line is lines[-1] else ""
            line.append(f" {label:<{_PEAK - 1}}" + " " * _GAP, style="dim")
    for line in lines:
        line.rstrip()
    return lines
