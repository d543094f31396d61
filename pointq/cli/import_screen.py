"""What an import shows: progress while it runs, a table of files at the end."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pointq.cli.context import AppContext
from pointq.cli.numbers import count
from pointq.errors import ExitCode
from pointq.ops.importing import FileReport, summary

if TYPE_CHECKING:
    from pointq.formats.track import LineReject

_SHOWN_REJECTS = 5
"""Rejects shown of each file; ``--json`` has them all."""

_STYLES = {"stored": "green", "queued": "green", "nothing new": "dim", "no fixes": "yellow", "failed": "red"}


class Progress(AbstractContextManager["Progress"]):
    """A line on stderr that moves while files are read and stored; nothing off a terminal."""

    def __init__(self, app: AppContext) -> None:
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=app.err,
            transient=True,
            disable=not app.err.is_terminal,
        )
        self._task = self._bar.add_task("reading")
        self._files = 0
        self._fixes = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._bar.stop()

    def file(self, report: FileReport) -> FileReport:
        """One file is done."""
        self._files += 1
        self._fixes += report.fixes
        elapsed = self._bar.tasks[0].elapsed or 0
        speed = f", {count(self._fixes / elapsed)}/s" if elapsed else ""
        self._bar.update(self._task, description=f"{count(self._files)} files, {count(self._fixes)} fixes{speed}")
        return report

    def waiting(self, batches: int) -> None:
        """All files are read; so many batches are not stored yet."""
        self._bar.update(self._task, description=f"storing: {count(batches)} batches left")


def print_reports(app: AppContext, reports: Sequence[FileReport]) -> None:
    """The table of files and its sums on stdout; what was refused on stderr."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("file", overflow="ellipsis", no_wrap=True, ratio=1)
    for heading in ("format", "fixes", "rejected", "repeated"):
        table.add_column(heading, justify="left" if heading == "format" else "right", no_wrap=True)
    for heading in ("start (UTC)", "hours", "highest", "outcome"):
        table.add_column(heading, justify="left" if heading in {"start (UTC)", "outcome"} else "right", no_wrap=True)
    for report in reports:
        table.add_row(*_cells(report))
    app.out.print(table)
    app.out.print(_sentence(reports), markup=False)
    for report in reports:
        for line in _complaints(report):
            app.err.print(line, markup=False, style="yellow", soft_wrap=True)


def exit_code(reports: Sequence[FileReport]) -> ExitCode:
    """0 when every line of every file was taken, 5 when some were not, 1 when no file could be read."""
    failed = sum(report.outcome == "failed" for report in reports)
    if failed and failed == len(reports):
        return ExitCode.FAILED
    return ExitCode.REJECTS if failed or any(report.rejects for report in reports) else ExitCode.OK


def _cells(report: FileReport) -> list[str | Text]:
    from pointq.logs import printable

    hours = (report.end - report.start).total_seconds() / 3600 if report.start and report.end else None
    return [
        printable(report.file),
        report.format or "-",
        count(report.fixes),
        count(len(report.rejects)),
        count(report.duplicates_in_file),
        f"{report.start:%Y-%m-%d %H:%M}" if report.start else "-",
        f"{hours:.1f}" if hours is not None else "-",
        f"{report.highest:.0f} m" if report.highest is not None else "-",
        Text(_outcome(report), style=_STYLES[report.outcome]),
    ]


def _outcome(report: FileReport) -> str:
    if report.outcome == "stored" and report.new is not None and report.new < report.fixes:
        return f"stored, {count(report.new)} new"
    return report.outcome


def _sentence(reports: Sequence[FileReport]) -> str:
    sums = summary(reports)
    parts = [_files(sums["files"]), f"{count(sums['fixes'])} fixes"]
    if sums["new"] is not None:
        parts += [f"{count(sums['new'])} new" if sums["new"] else "nothing new", f"{count(sums['duplicates'])} duplicates"]
    parts.append(f"{count(sums['rejected'])} rejected")
    if sums["failed"]:
        parts.append(f"{_files(sums['failed'])} failed")
    if sums["new"] is None and sums["fixes"]:
        parts.append("queued: `pointq status` shows when they are stored")
    return ", ".join(parts)


def _files(number: int | None) -> str:
    return "1 file" if number == 1 else f"{count(number)} files"


def _complaints(report: FileReport) -> list[str]:
    from pointq.logs import printable

    name = printable(report.file)
    if report.error:
        return [f"{name}: {printable(report.error)}"]
    lines = [f"{name}{_place(reject)}: {reject.reason}" for reject in report.rejects[:_SHOWN_REJECTS]]
    more = len(report.rejects) - _SHOWN_REJECTS
    return [*lines, f"{name}: and {count(more)} more; --json lists all"] if more > 0 else lines


def _place(reject: "LineReject") -> str:
    """Behind the name of the file: a line as editors and compilers write it."""
    return f":{reject.line}" if reject.record == "line" else f", {reject.place}"
