"""What ``bench e2e --faults`` shows: what was done, what became of the points, and whether every promise was kept."""

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from pointq.cli.columns import columns
from pointq.cli.numbers import count, counted
from pointq.ops.bench.suite_faults import FaultReport


def render(report: FaultReport) -> RenderableType:
    """The faults, the requests, the points, the verdict."""
    return Group(*_parts(report))


def _parts(report: FaultReport) -> Iterator[RenderableType]:
    yield Text(f"{report.seconds:.0f} s, {len(report.faults)} faults, seed {report.seed}\n")
    yield _faults(report)
    yield Text("")
    yield _requests(report)
    yield _points(report)
    yield Text("")
    yield from _verdict(report)


def _faults(report: FaultReport) -> Group:
    rows = []
    for what, times in Counter(fault.what for fault in report.faults).items():
        lasted = sum(fault.seconds for fault in report.faults if fault.what == what)
        rows.append((what, str(times), f"{lasted:.1f}"))
    return Group(*columns(("fault", "times", "seconds"), rows))


def _requests(report: FaultReport) -> Text:
    found = report.requests
    return Text(
        f"requests  {count(found.queue)} by the queue, {count(found.database)} by the database, {count(found.spool)} by the "
        f"spool, {count(found.refused)} refused, {count(found.unanswered)} unanswered; slowest {found.slowest_seconds:.1f} s"
    )


def _points(report: FaultReport) -> Text:
    found = report.verdict
    return Text.assemble(
        f"points    {count(found.accepted_points)} accepted, {count(found.stored_points)} stored, ",
        (f"{count(found.lost_points)} lost", "bold red" if found.lost_points else "green"),
        f", {counted(report.duplicate_points, 'duplicate')}, {counted(found.dead_points, 'dead letter')} "
        f"({count(found.poison_points)} expected)",
    )


def _verdict(report: FaultReport) -> Iterator[Text]:
    found = report.verdict
    if found.is_good:
        yield Text("every accepted point is stored once, or is a dead letter because the database refuses it", style="green")
        return
    broken = {
        "accepted points are lost": found.lost_points,
        "points are stored more than once": found.repeated_points,
        "rows were never sent": found.strange_points,
        "dead letters are no poison": found.wrongly_dead_points,
        "flights are miscounted": found.miscounted_flights,
    }
    for what, number in broken.items():
        if number:
            yield Text(f"{count(number)} {what}", style="bold red")
    yield Text(f"repeat it: pointq bench e2e --faults --seed {report.seed}; what the processes said is in {report.logs}")
