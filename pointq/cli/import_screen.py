"""What an import shows at its end: a table of files, the trouble there was, and the sums, the last line."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pointq.cli.context import AppContext
from pointq.cli.import_table import short_names, table_of
from pointq.cli.numbers import count, counted
from pointq.errors import ExitCode
from pointq.formats.track import LineReject
from pointq.logs import printable
from pointq.ops.importing.report import FileReport, Totals, summary

_WHOLE = 300
"""Files that are all listed; of more, only those with trouble."""
_TROUBLED = 100
"""Of those, how many at most."""
_REASONS = 3
"""Different reasons that are shown of each file."""
_LINES = 5
"""Lines that are named for each."""
_EXPLAINED = 15
"""Files whose trouble is explained."""


def print_reports(app: AppContext, reports: Sequence[FileReport]) -> None:
    """The table and the sums on stdout; what was refused, and why, on stderr."""
    tracks = [report for report in reports if report.outcome != "passed over"]
    trouble = [report for report in tracks if report.has_trouble]
    listed = _listed(tracks, trouble)
    if listed:
        app.out.print(table_of(listed, app.out.width))
    if len(listed) < len(tracks):
        fine = counted(len(tracks) - len(trouble), "file")
        more = f" and {count(len(trouble) - len(listed))} with trouble" if len(trouble) > len(listed) else ""
        app.out.print(f"not listed here: {fine} without trouble{more}; --json has all", style="dim")
    if trouble:
        app.err.print()
        for line in _explanation(trouble):
            app.err.print(line, markup=False, style="yellow")
    if len(tracks) < len(reports):
        app.err.print()
        app.err.print(_passed_over(reports), markup=False, style="dim")
    app.out.print(*([] if not listed else [""]), sentence(summary(reports)), sep="\n", markup=False, soft_wrap=True)


def print_rest(app: AppContext, done: int, found: int | None, *, resumes: bool) -> None:
    """How far an import came that did not come to its end; `resumes` says that another one skips what is done."""
    rest = f"{_files(found - done)} of {count(found)} are not imported" if found is not None else "the rest is not imported"
    if found == done:
        rest = "every file was imported"
    further = "; the same command goes on from here" if resumes and found != done else ""
    app.err.print(f"{rest}{further}", style="yellow", soft_wrap=True)


def exit_code(reports: Sequence[FileReport]) -> ExitCode:
    """0 when every record of every track was taken, 5 when some were not, 1 when no file was one that could be read."""
    failed = sum(report.outcome == "failed" for report in reports)
    if reports and all(report.outcome in {"failed", "passed over"} for report in reports):
        return ExitCode.FAILED
    refused = any(report.rejected for report in reports if report.outcome != "already imported")
    return ExitCode.REJECTS if failed or refused else ExitCode.OK


def sentence(totals: Totals) -> str:
    """The sums in one line."""
    if totals.files and totals.files == totals.already_imported:
        return f"{_files(totals.files)}, already imported: --force reads again"
    if not totals.files and totals.passed_over:
        return f"no track in {_files(totals.passed_over)}"
    parts = [_files(totals.files)]
    if totals.already_imported:
        parts.append(f"{count(totals.already_imported)} already imported")
    if totals.fixes or not totals.already_imported:
        parts.append(counted(totals.fixes, "fix", "fixes"))
    if totals.fixes and totals.new is not None and totals.duplicates is not None:
        parts += [f"{count(totals.new)} new" if totals.new else "nothing new", counted(totals.duplicates, "duplicate")]
    parts.append(f"{count(totals.rejected)} rejected")
    if totals.failed:
        parts.append(f"{_files(totals.failed)} failed")
    if totals.passed_over:
        parts.append(f"{count(totals.passed_over)} passed over")
    return ", ".join(parts)


def _listed(reports: Sequence[FileReport], trouble: Sequence[FileReport]) -> list[FileReport]:
    """The lines of the table, those with trouble last."""
    if len(reports) > _WHOLE:
        return list(trouble[:_TROUBLED])
    return sorted(reports, key=lambda report: (report.outcome == "failed", report.has_trouble))


def _files(number: int) -> str:
    return counted(number, "file")


def _explanation(trouble: Sequence[FileReport]) -> Iterator[str]:
    """Why lines or files were refused, worst first, and where to find the rest."""
    empty = [report.file for report in trouble if _is_empty(report)]
    worst = sorted((r for r in trouble if not _is_empty(r)), key=lambda report: (report.outcome != "failed", -report.rejected))
    names = short_names([report.file for report in worst])
    for report, name in list(zip(worst, names, strict=True))[:_EXPLAINED]:
        for complaint in _complaints(report):
            # an error of the system names the file itself
            yield complaint if complaint.startswith(f"{printable(report.file)} ") else f"{printable(name)}: {complaint}"
    if len(worst) > _EXPLAINED:
        yield f"… and {_files(len(worst) - _EXPLAINED)} more; --rejects FILE writes down everything"
    if empty:
        yield f"no position in {_files(len(empty))}: {_some(empty)}"


def _passed_over(reports: Sequence[FileReport]) -> str:
    names = [report.file for report in reports if report.outcome == "passed over"]
    return f"passed over, no track that pointq reads: {_some(names)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {count(len(names) - _EXPLAINED)} more" if len(names) > _EXPLAINED else ""
    return ", ".join(map(printable, short_names(names)[:_EXPLAINED])) + more


def _is_empty(report: FileReport) -> bool:
    return report.outcome == "no fixes" and not report.rejected


def _complaints(report: FileReport) -> Iterator[str]:
    """The most frequent reasons, with the places that they were given for."""
    if report.error:
        yield printable(report.error)
    places: defaultdict[str, list[LineReject]] = defaultdict(list)
    for reject in report.rejects:
        places[reject.reason].append(reject)
    for reason, number in list(report.reasons.items())[:_REASONS]:
        yield f"{_places(places[reason], number)}: {printable(reason)}"
    if report.rejected > sum(len(each[:_LINES]) for each in places.values()) or len(report.reasons) > _REASONS:
        yield f"{count(report.rejected)} rejected in all; --rejects FILE writes down each"


def _places(rejects: Sequence[LineReject], number: int) -> str:
    """Where to look for the first of so many: ``line 5``, ``packet 3, byte 210``, ``lines 5, 7, 9 and 120 more``."""
    if not rejects:
        return counted(number, "record")
    if number == 1:
        return rejects[0].place
    shown = rejects[:_LINES]
    # a file may have all its records in one line
    numbers = list(dict.fromkeys(each.line for each in shown))
    more = f" and {count(number - len(shown))} more" if number > len(shown) else ""
    return f"{shown[0].record}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}{more}"
