"""The line on stderr that moves while an import runs; nothing off a terminal."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from pointq.cli.context import AppContext
from pointq.cli.numbers import age, count, counted
from pointq.ops.importing.report import FileReport

_FIRST_GUESS_SECONDS = 2.0
"""From then on there is a time left: before, it would jump."""


class Progress(AbstractContextManager["Progress"]):
    """Files, fixes, how fast, and how long still."""

    def __init__(self, app: AppContext) -> None:
        self._app = app
        self._bar = RichProgress(
            SpinnerColumn(),
            _Bar(),
            TextColumn("{task.description}", markup=False),
            console=app.err,
            transient=True,
            disable=not app.err.is_terminal,
        )
        self._task = self._bar.add_task("looking for files", total=None)
        self._files = 0
        self._fixes = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._bar.stop()

    def total(self, files: int) -> None:
        """It is known now how many files there are."""
        self._bar.update(self._task, total=files)

    def file(self, report: FileReport) -> None:
        """One file is done."""
        self._files += 1
        self._fixes += report.fixes if report.outcome != "already imported" else 0
        self._say()

    def waiting(self, why: str) -> None:
        """Nothing moves here: others have to do something first."""
        self._say(why)

    def note(self, text: str) -> None:
        """Something that stays on the screen, above the line."""
        self._app.err.print(text, markup=False, soft_wrap=True)

    def _say(self, *why: str) -> None:
        self._bar.update(self._task, completed=self._files, description=", ".join([*self._figures(), *why]))

    def _figures(self) -> list[str]:
        task = self._bar.tasks[0]
        elapsed = task.elapsed or 0.0
        of = f" of {count(task.total)}" if task.total is not None else ""
        figures = [f"{count(self._files)}{of} files", counted(self._fixes, "fix", "fixes")]
        if elapsed > 0:
            figures.append(f"{count(self._fixes / elapsed)}/s")
        if task.total and self._files < task.total and elapsed > _FIRST_GUESS_SECONDS:
            figures.append(f"{age(elapsed / self._files * (task.total - self._files))} left")
        return figures


class _Bar(ProgressColumn):
    """A bar where the number of files is known."""

    _bar = BarColumn(16)

    def render(self, task: Task) -> Text:
        """Draw it."""
        return Text("") if task.total is None else self._bar.render(task)  # type: ignore[return-value]
