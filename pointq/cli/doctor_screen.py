"""What the doctor found, group by group; what does not fit into a line goes on under its beginning."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.text import Text

from pointq.logs import printable
from pointq.ops.doctor.report import Line, Report, Skipped

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_STATE = 8
"""Columns before the name of a check: the indentation, the state, two spaces."""
_NARROWEST = 30
"""Columns that a message has at least, however narrow the terminal."""


def render(report: Report, width: int, *, quiet: bool = False) -> Text:
    """All findings, or those that are not OK; then what was left out, and the sum. `width` in columns."""
    return Text("\n").join(_lines(report, width, quiet=quiet))


def _lines(report: Report, width: int, *, quiet: bool) -> Iterator[Text]:
    shown = [line for line in report.findings if not quiet or line.severity != "ok"]
    for group, members in groupby(shown, key=lambda line: line.check.partition(".")[0]):
        found = list(members)
        indent = _STATE + max(len(_name(line)) for line in found) + 2
        yield Text(group, style="bold")
        for line in found:
            yield from _finding(line, indent, max(width - indent, _NARROWEST))
    yield from (Text(line, style="dim") for line in _left_out(report.skipped))
    if shown or report.skipped:
        yield Text("")
    yield _sum(report)


def _finding(line: Line, indent: int, width: int) -> Iterator[Text]:
    first, *rest = textwrap.wrap(printable(line.message), width)
    state = (f"  {line.severity.upper():<{_STATE - 2}}", _STYLES[line.severity])
    yield Text.assemble(state, f"{_name(line):<{indent - _STATE}}", first)
    yield from (Text(" " * indent + further) for further in rest)
    for number, part in enumerate(textwrap.wrap(printable(line.mend or ""), width - 2)):
        yield Text(f"{' ' * indent}{'  ' if number else '→ '}{part}", style="cyan")


def _name(line: Line) -> str:
    return line.check.partition(".")[2]


def _left_out(skipped: Sequence[Skipped]) -> Iterator[str]:
    for reason in dict.fromkeys(one.reason for one in skipped):
        checks = [one.check for one in skipped if one.reason == reason]
        groups = dict.fromkeys(check.partition(".")[0] for check in checks)
        yield f"not looked at, since {reason}: {len(checks)} checks of {', '.join(groups)}"


def _sum(report: Report) -> Text:
    left = f", {len(report.skipped)} not looked at" if report.skipped else ""
    return Text.assemble(
        (report.state.upper(), _STYLES[report.state]),
        f"  {report.ok} OK, {report.warn} WARN, {report.fail} FAIL{left}, in {report.seconds:.2f} s",
    )
