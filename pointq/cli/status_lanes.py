"""The lanes, by priority."""

from rich.text import Text

from pointq.cli.columns import Cell, columns
from pointq.cli.numbers import age, count, rate, short
from pointq.ops.status import QueueStatus
from pointq.ops.watch import View

WIDE = 110
"""Columns from which on numbers are written in full."""

_HEADINGS = ("lane", "p", "ready", "pending", "oldest", "in/s", "out/s", "drain", "dead")
_TRENDS = {"ok": "green", "lagging": "yellow", "stalled": "bold red"}


def lanes(view: View, width: int, *, with_shards: bool = False) -> list[Text]:
    """A heading and a line for each kind, and for each of its shards where they are asked for and more than one."""
    is_stale = view.redis_silent_seconds is not None
    has_trend = bool(view.looks) and not is_stale
    rows: list[list[Cell]] = []
    for queue in view.last.queues:
        rows.append(_row(queue, queue.kind, is_wide=width >= WIDE, is_stale=is_stale) + [_trend(queue)] * has_trend)
        for number, shard in enumerate(view.shards.get(queue.kind, ()) if with_shards else ()):
            row = _row(shard, f"  shard {number}", is_wide=width >= WIDE, is_stale=is_stale)
            rows.append([*row, *[""] * has_trend])
    lines = columns([*_HEADINGS, *["trend"] * has_trend], rows, gap=3 if width >= WIDE else 2)
    if is_stale:
        lines[0].append(f"  {age(view.redis_silent_seconds)} ago", style="yellow")
    return lines


def _row(queue: QueueStatus, name: str, *, is_wide: bool, is_stale: bool) -> list[Cell]:
    number = count if is_wide else short
    cells = [
        name,
        str(queue.priority),
        number(queue.ready_points),
        number(queue.pending_points),
        age(queue.oldest_age_seconds),
        _rate(queue.in_points_per_second, is_wide=is_wide),
        _rate(queue.out_points_per_second, is_wide=is_wide),
        age(queue.drain_eta_seconds) if queue.total_pending else "-",
        number(queue.dead_points),
    ]
    texts: list[Cell] = [Text(cell, style="dim" if is_stale else "") for cell in cells]
    if queue.dead_points and not is_stale:
        texts[-1] = Text(cells[-1], style="red")
    return texts


def _rate(value: float | None, *, is_wide: bool) -> str:
    return rate(value) if is_wide or value is None or value < 10 else short(value)  # noqa: PLR2004 - as rate has it


def _trend(queue: QueueStatus) -> Text:
    return Text(queue.trend.upper(), style=_TRENDS[queue.trend]) if queue.trend else Text("-", style="dim")
