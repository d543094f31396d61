"""Short curves in a line or a few of text."""

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = 8
_GAP = "·"


def curve(values: Sequence[float | None], cells: int, rows: int = 1, most: float | None = None) -> list[str]:
    """Lines from the top: the newest of `values` at the right end, the highest (or `most`) as high as there is room.

    The base line is zero, whatever the least is; what is not zero stands above it. None is a gap.
    """
    shown = values[-cells:]
    most = max((value for value in shown if value is not None), default=0.0) if most is None else most
    columns = [_column(value, most, rows) for value in shown]
    return ["".join(column[row] for column in columns).rjust(cells) for row in reversed(range(rows))]


def gathered(values: Sequence[float | None], together: int) -> list[float | None]:
    """The highest of each group of so many, the last of which may not be whole yet."""
    return [_highest(values[at : at + together]) for at in range(0, len(values), together)]


def _highest(group: Sequence[float | None]) -> float | None:
    return max((value for value in group if value is not None), default=None)


def _column(value: float | None, most: float, rows: int) -> list[str]:
    """From the bottom."""
    if value is None:
        return [_GAP, *" " * (rows - 1)]
    # the base line is one eighth, the least that is not zero two
    eighths = 1 if value <= 0 or most <= 0 else max(round(value / most * rows * _EIGHTHS), 2)
    return [_BLOCKS[min(max(eighths - row * _EIGHTHS, 0), _EIGHTHS)] for row in range(rows)]
