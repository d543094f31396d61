"""The records of a spool that no process drains."""

from collections.abc import Iterator
from pathlib import Path

from pointq.ops.replay.frames import Found, Framed
from pointq.ops.replay.report import Refusal
from pointq.spool.salvage import Lost, salvage


def records(path: Path) -> Iterator[Found]:
    """What can be read there, and what cannot. Raises UsageError where there is no spool."""
    for item in salvage(path):
        if isinstance(item, Lost):
            yield Refusal(item.where, item.reason, item.kind, item.points)
        else:
            yield Framed(item.where, item.kind, item.points, item.frame)
