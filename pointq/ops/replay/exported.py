"""Batches of the files that `pointq purge` and `pointq inspect` export; of one that was cut, what is whole."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import orjson

from pointq.ops import exports
from pointq.ops.batches import Batch
from pointq.ops.replay.frames import Found, Framed
from pointq.ops.replay.report import Refusal
from pointq.queue.producer import History

_MOST_FAILURES = 20
"""As many as the queue itself keeps."""


def batches(paths: Iterable[Path]) -> Iterator[Found]:
    """What is in those files, one batch in memory at a time; what is wrong with them too."""
    for path in paths:
        for where, item in exports.items(path):
            if isinstance(item, exports.Flaw):
                yield Refusal(where, item.reason, item.kind, item.points)
            else:
                yield _framed(where, item)


def _framed(where: str, batch: Batch) -> Found:
    try:
        return Framed(where, batch.kind, batch.points, batch.frame, _history(batch))
    except (TypeError, ValueError) as exc:
        return Refusal(where, f"this is no batch of an export: {exc!r}", batch.kind, batch.points)


def _history(batch: Batch) -> History | None:
    if not batch.failures:
        return None
    kept = [
        {"at": _seconds(each.at), "sqlstate": each.sqlstate or "", "message": each.message or ""}
        for each in batch.failures[-_MOST_FAILURES:]
    ]
    return History(_seconds(batch.first_seen), len(batch.failures), orjson.dumps(kept))


def _seconds(moment: str | None) -> str:
    """A time of the file as Redis has it, Unix seconds."""
    return f"{datetime.fromisoformat(moment).timestamp():.6f}" if moment else ""
