"""The table of imported files: as many of its columns as the terminal is wide."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from pointq.cli.numbers import count
from pointq.logs import printable
from pointq.ops.importing.report import FileReport, Outcome

_STYLES: dict[Outcome, str] = {
    "readable": "green",
    "queued": "green",
    "accepted": "green",
    "stored": "green",
    "nothing new": "dim",
    "already imported": "dim",
    "no fixes": "yellow",
    "passed over": "dim",
    "failed": "red",
}
_GAP = 2
_LOGGER_WIDTH = 20
_NAME_WIDTH = 24
"""What a file's name has at least, before a column is left out for it."""


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cell: Callable[[FileReport], str]
    rank: int
    """The higher, the sooner it is left out on a narrow terminal."""
    left: bool = False

    def width(self, reports: Sequence[FileReport]) -> int:
        return max(map(cell_len, [self.heading, *map(self.cell, reports)]))


def _duration(report: FileReport) -> str:
    if report.start is None or report.end is None:
        return ""
    minutes = round((report.end - report.start).total_seconds() / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _logger(report: FileReport) -> str:
    """What recorded it, in a few words; phones write everything they know."""
    return (report.device or report.logger or "").replace(",", " ")


def _duplicates(report: FileReport) -> str:
    """Of a file that was not read again all are: its outcome says so."""
    return count(report.duplicates) if report.duplicates and report.outcome != "already imported" else ""


_COLUMNS = (
    _Column("format", lambda r: r.format or "", 6, left=True),
    _Column("logger", lambda r: _logger(r)[:_LOGGER_WIDTH], 7, left=True),
    _Column("start (UTC)", lambda r: f"{r.start:%Y-%m-%d %H:%M}" if r.start else "", 2, left=True),
    _Column("hours", _duration, 1),
    _Column("fixes", lambda r: count(r.fixes) if r.format else "", 0),
    _Column("rejected", lambda r: count(r.rejected) if r.rejected else "", 3),
    _Column("duplicates", _duplicates, 8),
    _Column("highest", lambda r: f"{count(r.highest)} m" if r.highest is not None else "", 4),
    _Column("track", lambda r: f"{r.length_km:,.1f} km".replace(",", " ") if r.length_km is not None else "", 5),
)


def table_of(reports: Sequence[FileReport], width: int) -> Table:
    """A line a file."""
    names = [printable(name) for name in short_names([report.file for report in reports])]
    outcomes = [outcome_of(report) for report in reports]
    room = width - _GAP - max(map(cell_len, ["outcome", *outcomes]))
    columns = _fitting(reports, room - min(_NAME_WIDTH, max(map(cell_len, names))))
    room -= sum(column.width(reports) + _GAP for column in columns)
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("file", no_wrap=True, overflow="ellipsis", max_width=max(room, 1))
    for column in columns:
        table.add_column(column.heading, justify="left" if column.left else "right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for report, name, outcome in zip(reports, names, outcomes, strict=True):
        cells = (column.cell(report) for column in columns)
        table.add_row(printable(name), *cells, Text(outcome, style=_STYLES[report.outcome]))
    return table


def outcome_of(report: FileReport) -> str:
    """The outcome in a word or two."""
    if report.outcome == "stored" and report.new is not None and report.new < report.fixes:
        return f"stored, {count(report.new)} new"
    return report.outcome


def short_names(names: Sequence[str]) -> list[str]:
    """The names without the folder that all of them are in."""
    if len({name.startswith("/") for name in names}) != 1:
        return list(names)
    folder = os.path.commonpath([os.path.dirname(name) for name in names])  # noqa: PTH120 - texts, not paths
    # what has nothing but the root in common keeps it: a path without would be another one
    return [name.removeprefix(folder).lstrip("/") if folder not in {"", "/"} else name for name in names]


def _fitting(reports: Sequence[FileReport], room: int) -> list[_Column]:
    """The columns that there is room for, and that have anything to say."""
    chosen: list[_Column] = []
    for column in sorted(_COLUMNS, key=lambda column: column.rank):
        if not any(map(column.cell, reports)):
            continue
        room -= column.width(reports) + _GAP
        if room < 0:
            break
        chosen.append(column)
    return [column for column in _COLUMNS if column in chosen]
