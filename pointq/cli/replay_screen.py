"""What ``pointq replay`` shows: progress while it runs, then what went where, what did not, and what came back."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from pointq.cli.context import AppContext
from pointq.cli.numbers import batches_of, count, counted
from pointq.logs import printable
from pointq.ops.replay.report import Reason, Refusal, Report

_SHOWN = 10
"""Refusals shown; ``--json`` has more."""

_NAMES = {
    "dead": ("dead letter", "dead letters"),
    "retained": ("stored batch that is kept", "stored batches that are kept"),
    "files": ("batch of files", "batches of files"),
    "spool": ("spooled batch", "spooled batches"),
}


class Progress(AbstractContextManager["Progress"]):
    """A line on stderr: how many points of how many, how fast, how long still; nothing off a terminal."""

    def __init__(self, app: AppContext, points: int) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=app.err,
            transient=True,
            disable=not app.err.is_terminal,
        )
        self._points = points
        self._task = self._bar.add_task("replaying", total=points or None, said="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._bar.stop()

    def done(self, points: int) -> None:
        """So many points are back in the queue."""
        elapsed = self._bar.tasks[0].elapsed
        speed = f", {count(points / elapsed)}/s" if elapsed else ""
        said = f"{count(points)} of {count(self._points)} points{speed}"
        self._bar.update(self._task, completed=points, said=said)

    def left(self, batches: int) -> None:
        """All are back in the queue; so many batches are not stored yet."""
        self._bar.update(self._task, description="storing", said=f"{counted(batches, 'batch', 'batches')} left")


def print_report(app: AppContext, report: Report, *, dry_run: bool) -> None:
    """What went where on stdout; the rest on stderr."""
    if report.batches:
        app.out.print(_shares(report))
    name = _NAMES[report.source]
    done = "would go back" if dry_run else f"{_are(report.batches)} back in the queue"
    if report.batches:
        app.out.print(f"{counted(report.batches, *name)} of {counted(report.points, 'point')} {done}", markup=False)
    else:
        app.out.print(f"no {name[1]} to put back", markup=False)
    for refusal in report.refusals[:_SHOWN]:
        app.err.print(_refused(refusal), style="yellow", markup=False, soft_wrap=True)
    if len(report.refusals) > _SHOWN:
        app.err.print(f"and {count(len(report.refusals) - _SHOWN)} more; --json lists them", style="yellow")
    if report.gone_batches:
        gone = counted(report.gone_batches, "batch was", "batches were")
        app.err.print(f"{gone} gone before being put back", style="yellow")
    if not dry_run and report.batches:
        _print_outcome(app, report)


def print_stopped(app: AppContext, report: Report) -> None:
    """It ends before its end."""
    done = f"stopped: {batches_of(report.batches, report.points)} {_are(report.batches)} back in the queue"
    app.err.print(f"{done}, the rest is where it was", markup=False, soft_wrap=True)


def _print_outcome(app: AppContext, report: Report) -> None:
    if report.came_back is None:
        app.err.print("`pointq status` shows when they are stored, and what is refused again", markup=False)
    elif not report.came_back:
        app.out.print("all are stored")
    for reason in report.came_back or ():
        app.err.print(_died(reason), style="yellow", markup=False, soft_wrap=True)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _died(reason: Reason) -> str:
    often = f"refused {reason.most_refusals} times by now" if reason.most_refusals > 1 else "refused"
    dead = counted(reason.points, "point is a dead letter again", "points are dead letters again")
    return f"{dead}, {often}: {reason.sqlstate} {printable(reason.message)}"


def _refused(refusal: Refusal) -> str:
    kind = f"{refusal.kind} " if refusal.kind else ""
    points = "" if refusal.points is None else f" ({counted(refusal.points, f'{kind}point')})"
    return f"{printable(refusal.where)}: {printable(refusal.reason)}{points}"


def _shares(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(("lane", "batches", "points")):
        table.add_column(column, justify="right" if i else "left", no_wrap=True)
    for share in report.shares.values():
        table.add_row(f"{share.kind}.{share.shard}", count(share.batches), count(share.points))
    return table
