"""What the handlers work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol

from aiohttp import web

from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.importing import Desk
from pointq.ingest.limits.arrivals import Arrivals
from pointq.metrics.teller import Teller
from pointq.ops.status import Status
from pointq.points.kinds import Kind

SpendOf = Callable[[web.BaseRequest], Callable[[int], None] | None]


class StatusSource(Protocol):
    """Who tells the status: quickly, whatever is down."""

    async def __call__(self) -> Status: ...  # noqa: D102 - the class says it


def _nobody_counts(_: web.BaseRequest) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """What there is one of in each server."""

    commits: Mapping[Kind, GroupCommit]
    status: StatusSource
    zone: tzinfo
    desk: Desk
    teller: Teller
    arrivals: Mapping[str, Arrivals]
    """By path."""
    spend_of: SpendOf = _nobody_counts
    """What takes the points of a request off its account; None where nobody counts them."""
    failed: Callable[[web.BaseRequest], None] = _nobody_counts
    """Counts a key that is wrong. Raises Problem (429) where too many came from there."""
    met: Mapping[str, int] = field(default_factory=dict)
    """How often each limit was met."""
    flymaster_secret: str | None = None
