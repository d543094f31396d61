"""Whether a server really works, and which way points go, for whoever watches over it."""

from collections.abc import Awaitable, Callable, Iterable

from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.intake import Going

_LATE_SECONDS = 10.0
"""What a batch may take beyond the budget that bounds it: a busy machine is late, a defect never lands it."""


def look_at(
    commits: Iterable[GroupCommit], going: Callable[[], Going], url: str, budget_seconds: float
) -> Callable[[], Awaitable[str | None]]:
    """A look at a server: in words what it does, None where a batch never lands; no answer where a loop hangs."""

    async def look() -> str | None:
        turning = [await commit.turns(budget_seconds + _LATE_SECONDS) for commit in commits]
        return shown(url, going()) if all(turning) else None

    return look


def shown(url: str, going: Going) -> str:
    """What `systemctl status` shows of a server."""
    if not going.is_open:
        return f"{url}: points are refused: {going.reason}"
    return f"{url}: points go by the {going.via}{f': {going.reason}' if going.reason else ''}"
