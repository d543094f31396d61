"""The workers, those in trouble first."""

from rich.text import Text

from pointq.cli.columns import Cell, columns
from pointq.cli.numbers import age, count, rate
from pointq.cli.status_lanes import WIDE
from pointq.ops.status import WorkerStatus
from pointq.ops.watch import View

_ORDER = ("lost", "paused", "draining", "stopping", "running")
_STYLES = {"lost": "red", "running": ""}


def workers(view: View, width: int) -> list[Text]:
    """A heading and a line for each; nothing where none is known of."""
    if view.last.workers is None:
        return []
    if not view.last.workers:
        return [Text("no worker runs: pointq work", style="yellow")]
    is_stale = view.redis_silent_seconds is not None
    headings = ["worker", "state", "prio", "points/s", "stored", "seen"]
    rows = [_row(worker, is_stale=is_stale) for worker in sorted(view.last.workers, key=_rank)]
    if width >= WIDE:
        headings.append("")
        rows = [[*row, worker.trouble or ""] for row, worker in zip(rows, sorted(view.last.workers, key=_rank), strict=True)]
    return columns(headings, rows, left=2, gap=3 if width >= WIDE else 2)


def _rank(worker: WorkerStatus) -> tuple[int, str, int]:
    return _ORDER.index(worker.state) if worker.state in _ORDER else 0, worker.host, worker.pid


def _row(worker: WorkerStatus, *, is_stale: bool) -> list[Cell]:
    cells = [
        f"{worker.host} {worker.pid}",
        worker.state,
        ",".join(map(str, worker.priorities)),
        "-" if worker.state == "lost" else rate(worker.points_per_second),
        count(worker.stored_points),
        "not known" if is_stale else f"{age(worker.last_seen_seconds)} ago",
    ]
    texts: list[Cell] = [Text(cell, style="dim" if is_stale else "") for cell in cells]
    if not is_stale:
        texts[1] = Text(worker.state, style=_STYLES.get(worker.state, "yellow"))
    return texts
