"""What a benchmark shows: progress while it runs, a table of figures at the end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pointq.cli.context import AppContext
from pointq.cli.numbers import count, size
from pointq.ops.bench.figures import Figure
from pointq.ops.bench.run import Report

_STYLES = {"met": "green", "missed": "red", "not proven": "yellow"}


class Progress(AbstractContextManager["Progress"]):
    """A line on stderr that says what is measured; off a terminal, one line a figure."""

    def __init__(self, app: AppContext) -> None:
        self._app = app
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=app.err,
            transient=True,
            disable=not app.err.is_terminal,
            refresh_per_second=4,  # it runs beside what is measured
        )
        self._task = self._bar.add_task("starting")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, what: str) -> None:
        """This is measured now."""
        self._bar.update(self._task, description=what)

    def found(self, figure: Figure) -> None:
        """One figure is known."""
        verdict = f", {figure.verdict}" if figure.verdict else ""
        ratio = f", {figure.ratio:.2f} of the floor" if figure.ratio is not None else ""
        line = f"{figure.suite}: {figure.name}: {_value(figure)} {figure.unit}{ratio}{verdict}"
        self._app.err.print(line, style="dim", markup=False, soft_wrap=True)


def render(report: Report) -> RenderableType:
    """The machine, the figures by suite, the notes, and what to do next."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    machine, versions = report.machine, report.versions
    memory = f", {size(machine.memory_bytes)}" if machine.memory_bytes else ""
    timescale = f" with TimescaleDB {versions.timescaledb}" if versions.timescaledb else ""
    yield Text(f"pointq {versions.pointq}  {report.time:%Y-%m-%d %H:%M} UTC, {report.seconds:.0f} s")
    yield Text(f"{machine.cpu}, {machine.cores} cores{memory}  ·  {machine.os}  ·  {machine.python}", style="dim")
    yield Text(
        f"{versions.redis}, {versions.redis_persistence}  ·  PostgreSQL {versions.postgresql}{timescale}  ·  {report.data}",
        style="dim",
    )
    options = report.settings
    yield Text(
        f"backlog of {count(options.points)} points, batches of {count(options.batch)}, {options.pairs} rounds", style="dim"
    )
    yield Text("")
    yield _table(report)
    floors = dict.fromkeys(figure.floor for figure in report.figures if figure.floor)
    yield Text("\nratios are medians, with quartiles, of figures to these floors, measured in turn:", style="dim")
    for number, floor in enumerate(floors, 1):
        yield Text(f" {number}  {floor}", style="dim")


def _table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(("suite", "figure", "", "", "floor", "", "ratio", "spread", "target", "")):
        table.add_column(column, justify="right" if i in {2, 4, 6} else "left", no_wrap=i != 1)
    floors = list(dict.fromkeys(figure.floor for figure in report.figures if figure.floor))
    before = ""
    for figure in report.figures:
        table.add_row(figure.suite if figure.suite != before else "", *_cells(figure, floors))
        before = figure.suite
    return table


def _cells(figure: Figure, floors: list[str]) -> list[str | Text]:
    ratio, spread = "", ""
    if figure.ratio is not None:
        ratio, spread = _short(figure.ratio), f"{_short(figure.ratio_low)}-{_short(figure.ratio_high)}"
    return [
        figure.name,
        _value(figure),
        figure.unit,
        count(figure.floor_points_per_second) if figure.floor else "",
        str(floors.index(figure.floor) + 1) if figure.floor else "",
        ratio,
        spread,
        figure.target or "",
        Text(figure.verdict or "", style=_STYLES.get(figure.verdict or "", "")),
    ]


def _value(figure: Figure) -> str:
    value = figure.points_per_second if figure.value is None else figure.value
    return count(value) if value is None or value >= 1_000 else _short(value)  # noqa: PLR2004


def _short(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004
