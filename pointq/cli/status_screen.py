"""The status as lines of text: as many and as wide as there is room for, the most important first."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from pointq.cli.status_curves import curves
from pointq.cli.status_heads import heads
from pointq.cli.status_lanes import WIDE, lanes
from pointq.cli.status_workers import workers
from pointq.ops.watch import View

_NOTE_STYLES = {"ok": "", "degraded": "yellow", "down": "bold red"}
_MOST_NOTES = 6
_MOST_CURVE_ROWS = 3
_FEW_WORKERS = 3
"""Lines of workers, their heading among them, that come before curves."""
_ENOUGH_BESIDE_SHARDS = 36
"""Lines for all the rest: a screen that shows shards should lose nothing else."""
_SPARE_BELOW_CURVES = 12
"""Lines that must be left over before curves get higher."""


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to write on, in characters; no height: as many lines as it takes."""

    width: int
    height: int | None = None


def screen(view: View, room: Room, footer: str = "") -> list[Text]:
    """Backends, totals, lanes, curves, workers, and last what is wrong and what to do about it."""
    top = [*heads(view, room.width, footer), Text(), *lanes(view, room.width, with_shards=_has_room_for_shards(view, room))]
    notes = _notes(view, room)
    people = workers(view, room.width)
    left = None if room.height is None else room.height - len(top) - _block(notes)
    curve = _curves(view, room.width, left, min(len(people), _FEW_WORKERS))
    if left is not None:
        people = _fitting(people, left - _block(curve) - 1)
    lines = [line for block in (top, curve, people, notes) if block for line in (*block, Text())][:-1]
    return [_cut(line, room.width) for line in lines[: room.height]]


def _has_room_for_shards(view: View, room: Room) -> bool:
    shards = [len(each) for each in view.shards.values()]
    if max(shards, default=1) == 1 or room.width < WIDE:
        return False
    return room.height is None or room.height - sum(shards) >= _ENOUGH_BESIDE_SHARDS


def _block(lines: Sequence[Text]) -> int:
    """Lines that a block takes, with the empty one before it."""
    return len(lines) + 1 if lines else 0


def _curves(view: View, width: int, left: int | None, people: int) -> list[Text]:
    """As high as there is room for; where workers would have none, without the lanes where nothing moved, or none at all."""
    if left is None or not view.looks:
        return []
    for rows in range(_MOST_CURVE_ROWS, 0, -1):
        lines = curves(view, width, rows)
        if _block(lines) + people + 1 + (_SPARE_BELOW_CURVES if rows > 1 else 0) <= left:
            return lines
    lines = curves(view, width, all_lanes=False)
    return lines if _block(lines) + people + 1 <= left else []


def _fitting(people: Sequence[Text], left: int) -> list[Text]:
    if len(people) <= left:
        return list(people)
    shown = max(left - 1, 0)
    hidden = len(people) - shown
    return [*people[:shown], Text(f"and {hidden} more", style="dim")] if left > 0 else []


def _notes(view: View, room: Room) -> list[Text]:
    style = _NOTE_STYLES[view.status.state]
    lines = [line for reason in view.status.reasons for line in _wrapped(f"! {reason}", room.width, style)]
    if room.height is None or len(lines) <= _MOST_NOTES:
        return lines
    return [*lines[: _MOST_NOTES - 1], Text("  … pointq status shows all of it", style=style)]


def _wrapped(text: str, width: int, style: str) -> list[Text]:
    from textwrap import wrap

    return [Text(line, style=style) for line in wrap(text, width, subsequent_indent="  ")]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line
