"""Which lanes are meant by the name of a kind."""

from typing import TYPE_CHECKING

from pointq.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointq.config import Settings
    from pointq.queue.lanes import Lane

ALL = "all"


def lanes_named(settings: "Settings", name: str) -> "Sequence[Lane]":
    """The lanes of the kind of that name, or of all kinds. Raises UsageError."""
    from pointq.points.kinds import KINDS
    from pointq.queue.lanes import lanes_of

    if name != ALL and name not in KINDS:
        raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}, and {ALL} for all of them")
    chosen = KINDS.values() if name == ALL else [KINDS[name]]
    return lanes_of(chosen, shards=settings.queue.shards, prefix=settings.queue.prefix)
