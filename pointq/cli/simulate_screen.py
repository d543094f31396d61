"""What a simulation shows: how far it is, and its account."""

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from pointq.cli.context import AppContext
from pointq.cli.numbers import age, count, counted, rate
from pointq.errors import ExitCode
from pointq.ops.simulate.plan import Plan
from pointq.ops.simulate.report import Report
from pointq.ops.simulate.run import Snapshot

_LINE_SECONDS = 10.0
"""Between two lines of progress off a terminal."""


class Progress(AbstractContextManager["Progress"]):
    """On a terminal a line on stderr that moves; elsewhere a line now and then."""

    def __init__(self, app: AppContext, plan: Plan) -> None:
        self._app = app
        self._plan = plan
        self._moves = app.err.is_terminal
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            console=app.err,
            transient=True,
            disable=not self._moves,
        )
        self._task = self._bar.add_task("asking the server")
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._bar.stop()

    def flying(self, now: Snapshot) -> None:
        """So far it is."""
        totals = now.totals
        trouble = f", {count(totals.retries)} retries" if totals.retries else ""
        self._show(
            f"{age(now.second)} of {age(self._plan.duration)}: {count(totals.accepted)} points accepted"
            f" ({rate(totals.accepted / max(now.wall_seconds, 0.1))}/s), {count(totals.rejected)} rejected"
            f", {count(totals.refused)} refused{trouble}"
        )

    def comparing(self, flights: int) -> None:
        """So many flights are left to be compared."""
        self._show(f"comparing with the tables: {counted(flights, 'flight')} left")

    def note(self, text: str) -> None:
        """Something that is said once."""
        self._app.err.print(text, markup=False)

    def _show(self, text: str) -> None:
        self._bar.update(self._task, description=text)
        if not self._moves and time.monotonic() - self._said >= _LINE_SECONDS:
            self._said = time.monotonic()
            self.note(text)


def render(report: Report) -> RenderableType:
    """The account, one fact a line."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value, note in _lines(report):
        table.add_row(name, Text(value), Text(note))
    pilots = ", ".join(f"{number} {kind}" for kind, number in report.pilots.items())
    ending = "interrupted" if report.interrupted else "ended"
    head = f"{report.name}: {pilots}; {ending} after {age(report.wall_seconds)}"
    return Group(Text(head), table, Text(_verdict(report), style=_style(report)))


def _lines(report: Report) -> "list[tuple[str, str, str]]":
    points, requests, latency = report.points, report.requests, report.latency_seconds
    statuses = ", ".join(f"{number} × {status}" for status, number in requests.by_status.items())  # noqa: RUF001 - times
    lines = [
        ("sent", count(points.sent), f"{rate(report.points_per_second)} accepted a second"),
        ("accepted", count(points.accepted), ""),
        ("rejected", count(points.rejected), f"{count(points.rejected_as_meant)} on purpose"),
        ("refused", count(points.refused), ""),
        ("unsent", count(points.unsent), ""),
        ("sent again", count(points.duplicates_sent), "stored once"),
        ("requests", count(requests.total), f"{statuses}; {requests.unanswered} without answer, {requests.retries} retries"),
        ("latency", _ms(latency.p50), f"median; 95 % {_ms(latency.p95)}, 99 % {_ms(latency.p99)}, longest {_ms(latency.max)}"),
    ]
    if report.verification is not None:
        found = report.verification
        lines += [
            ("looked for", count(found.checked), f"in the tables, {age(found.waited_seconds)}"),
            ("missing", count(found.missing), ""),
            ("extra", count(found.extra), ""),
        ]
    return lines


def _verdict(report: Report) -> str:
    found = report.verification
    if report.verification_error is not None:
        return f"the tables were not compared: {report.verification_error}"
    if found is not None and (found.missing or found.extra):
        return "the tables differ from what was accepted: see `pointq status` for what waits and what is dead"
    if report.points.unsent and not report.interrupted:
        return "not all was sent: the server was away, see `pointq status`"
    return "every accepted point is in the tables, and nothing else" if found is not None else "--verify looks into the tables"


def _style(report: Report) -> str:
    return {ExitCode.OK: "green", ExitCode.INTERRUPTED: "yellow"}.get(exit_code(report), "red")


def exit_code(report: Report) -> ExitCode:
    """3 without the database, 1 where points are missing, extra or unsent, 5 where some were refused against the plan."""
    points, found = report.points, report.verification
    if report.verification_error is not None:
        return ExitCode.UNREACHABLE
    if found is not None and (found.missing or found.extra):
        return ExitCode.FAILED
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if points.unsent:
        return ExitCode.FAILED
    return ExitCode.REJECTS if points.refused or points.rejected > points.rejected_as_meant else ExitCode.OK


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else age(seconds)
