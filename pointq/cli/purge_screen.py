"""What ``pointq purge`` shows: what would go, how it goes, and what became of it."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from pointq.cli.context import AppContext
from pointq.cli.numbers import age, batches_of, count
from pointq.logs import printable

if TYPE_CHECKING:
    from pointq.ops.purging import Criteria, Preview, Removed


class Progress(AbstractContextManager["Progress"]):
    """A line on stderr; nothing off a terminal."""

    def __init__(self, app: AppContext) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("batches"),
            TimeRemainingColumn(),
            console=app.err,
            transient=True,
            disable=not app.err.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._runs = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self.pause()

    def tell(self, what: str, done: int, total: int) -> None:
        """So many batches of so many; a total of 0: nobody knows."""
        if not self._runs:
            self._bar.start()
            self._runs = True
        self._bar.update(self._task, description=what, completed=done, total=total or None)

    def pause(self) -> None:
        """Give the line back: something else is to be shown."""
        self._bar.stop()
        self._runs = False


def print_preview(app: AppContext, criteria: "Criteria", preview: "Preview", path: Path | None, *, dry_run: bool) -> None:
    """What would go: on stdout where it is all that was asked for, else beside the question."""
    console = app.out if dry_run else app.err
    if preview.batches:
        console.print(_shares(preview))
        verb = "would be" if dry_run else "is to be" if preview.batches == 1 else "are to be"
        console.print(f"{batches_of(preview.batches, preview.points)} {verb} removed")
    else:
        console.print(f"nothing to remove from {criteria.kind}", markup=False)
    for held in preview.held:
        line = f"{_stay(held.batches, held.points)}: held by {printable(held.worker)}"
        app.err.print(f"{line}; --force removes that too", style="yellow", markup=False)
    if preview.batches and not dry_run:
        app.err.print("no export: what is removed is lost" if path is None else f"first exported to {path}", markup=False)


def _shares(preview: "Preview") -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(("lane", "state", "batches", "points", "oldest", "newest")):
        table.add_column(column, justify="left" if i < 2 else "right", no_wrap=True)  # noqa: PLR2004 - two of text
    for share in preview.shares:
        ages = (age(share.oldest_seconds), age(share.newest_seconds))
        table.add_row(f"{share.kind}.{share.shard}", share.state, count(share.batches), count(share.points), *ages)
    return table


def print_removed(app: AppContext, removed: "Removed") -> None:
    """What became of it."""
    app.out.print(f"removed {batches_of(removed.batches, removed.points)}")
    if removed.taken_batches:
        app.err.print(f"{_stay(removed.taken_batches, removed.taken_points)}: taken by workers meanwhile")
    if removed.gone_batches:
        app.err.print(f"stored or removed meanwhile: {batches_of(removed.gone_batches, removed.gone_points)}")
    if removed.export is not None:
        app.err.print(f"they are in {removed.export}; `pointq replay {removed.export}` puts them back", markup=False)


def _stay(batches: int, points: int) -> str:
    return f"{batches_of(batches, points)} {'stays' if batches == 1 else 'stay'}"
