"""What ``pointq inspect`` shows a person: batches, then a few points of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table as RichTable
from rich.text import Text

from pointq.cli.context import AppContext
from pointq.cli.numbers import age, count
from pointq.logs import printable
from pointq.ops.batches import Batch, decoded
from pointq.ops.documents import FIRST_BYTES, first_rows
from pointq.ops.rows import Row

if TYPE_CHECKING:
    from pointq.ops.inspecting import LaneCounts, Question
    from pointq.points.batch import PointBatch
    from pointq.queue.audit import AuditLine

_BLOCK = 100
"""Batches that are laid out together: the width of a column needs all of its cells."""
_POINTS = 3
"""Points shown of each batch."""
_STYLES = {"dead": "red", "pending": "yellow", "begun": "yellow", "stopped": "yellow"}


class Table:
    """Batches in blocks, each with points below it."""

    def __init__(self, app: AppContext, lanes: Sequence["LaneCounts"], question: "Question") -> None:
        self._out = app.out
        self._err = app.err
        self._lanes = lanes
        self._question = question
        self._block: list[_Shown] = []
        self._shown: Counter[str] = Counter()
        self._first_dead: Batch | None = None

    def add(self, batch: Batch) -> None:
        """A batch; its points are forgotten but for a few."""
        self._block.append(_Shown(batch))
        self._shown[batch.state] += 1
        if batch.state == "dead" and self._first_dead is None:
            self._first_dead = batch
        if len(self._block) == _BLOCK:
            self._flush()

    def end(self) -> None:
        """The last block, how much more there is, and what to do about it."""
        self._flush()
        if not self._shown:
            self._err.print(f"no {' or '.join(sorted(self._question.states))} batches", highlight=False)
        for line in self._notes():
            self._err.print(line, style="dim", markup=False)

    def _flush(self) -> None:
        if not self._block:
            return
        self._out.print(_batches(self._block))
        for shown in self._block:
            self._out.print()
            self._out.print(shown.title(), style="bold")
            self._out.print(shown.body())
        self._block.clear()

    def _notes(self) -> Iterator[str]:
        for state in ("pending", "ready", "dead"):
            total = sum(getattr(lane, f"{state}_batches") for lane in self._lanes)
            if state in self._question.states and not self._question.ids and total > self._shown[state]:
                yield f"{count(self._shown[state])} of {count(total)} {state} batches; -n 0 shows all"
        if self._first_dead is not None:
            yield "mended what the database refuses? `pointq replay` puts them back; `pointq purge` exports and removes them"


class _Shown:
    """What is kept of a batch until it is printed."""

    def __init__(self, batch: Batch) -> None:
        points = decoded(batch)
        self.batch = batch
        self.error = points if isinstance(points, str) else None
        self.flights = "-" if isinstance(points, str) else count(len(points.flights))
        self._bytes = batch.frame[:FIRST_BYTES].hex(" ")
        self._points = None if isinstance(points, str) else _points(points)
        self._left = 0 if isinstance(points, str) else len(points) - _POINTS

    def title(self) -> Text:
        return Text(f"{_lane(self.batch)} {self.batch.id}")

    def body(self) -> "Text | RichTable":
        if self.error is not None:
            return Text(f"  {printable(self.error)}\n  first bytes: {self._bytes or 'none'}", style="red")
        assert self._points is not None  # noqa: S101 - there is no error
        if self._left > 0:
            self._points.add_row(Text(f"  and {count(self._left)} more", style="dim"))
        return self._points


def _batches(block: Sequence[_Shown]) -> RichTable:
    table = _table("lane", "state", "id", "age", "points", "flights", "tries", "held by, or why dead", left=(0, 1, 2, 7))
    for shown in block:
        batch = shown.batch
        table.add_row(
            _lane(batch),
            Text(batch.state, style=_STYLES.get(batch.state, "")),
            batch.id,
            age(batch.age_seconds),
            count(batch.points),
            shown.flights,
            count(batch.deliveries),
            _why(shown),
        )
    return table


def _why(shown: _Shown) -> Text:
    batch = shown.batch
    if batch.state == "dead":
        return Text(printable(f"{batch.sqlstate or '-'} {batch.message or ''}"))
    if batch.state == "pending" and batch.held_by is None:
        return Text("nobody: it was released by hand, and nobody will take it", style="red")
    if batch.held_by is not None:
        touched = f"{printable(batch.held_by)}, {age(batch.idle_seconds)} ago"
        return Text(touched if batch.holder_alive else f"{touched}, lost", style="" if batch.holder_alive else "red")
    return Text("cannot be read", style="red") if shown.error else Text("")


def _points(points: "PointBatch") -> RichTable:
    altitude = points.kind.altitude
    table = _table("  flight", "time", "lat", "lon", altitude, "speed", left=(0, 1))
    for row in first_rows(points, _POINTS):
        table.add_row(
            f"  {printable(_flight(row))}",
            str(row["time"]),
            f"{row['lat']:.5f}",
            f"{row['lon']:.5f}",
            _number(row.get(altitude)),
            _number(row.get("speed")),
        )
    return table


def _flight(row: Row) -> str:
    return str(row["flight_id"] or row["flight_uuid"])


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "-"


def _lane(batch: Batch) -> str:
    return (batch.kind or "?") if batch.shard is None else f"{batch.kind}.{batch.shard}"


def audit_table(lines: Sequence["AuditLine"]) -> RichTable:
    """What operators removed, the latest first."""
    table = _table("when", "who", "what", "batches", "points", "outcome", "export", left=(0, 1, 2, 5, 6))
    for line in lines:
        filters = f", {line.filters}" if line.filters else ""
        table.add_row(
            f"{line.at[:19].replace('T', ' ')}",
            printable(line.by),
            printable(f"{line.action} {line.kind} {' '.join(line.states)}{filters}"),
            count(line.batches),
            count(line.points),
            Text(line.outcome, style=_STYLES.get(line.outcome, "")),
            printable(line.export or "none"),
        )
    return table


def _table(*columns: str, left: Sequence[int]) -> RichTable:
    table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i in left else "right", overflow="fold", no_wrap=i not in {left[-1], 0})
    return table
