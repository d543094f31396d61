"""What the handlers work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.importing import Desk
from pointq.metrics.teller import Teller
from pointq.ops.status import Status
from pointq.points.kinds import Kind


class StatusSource(Protocol):
    """Who tells the status: quickly, whatever is down."""

    async def __call__(self) -> Status: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Services:
    """What there is one of in each server."""

    commits: Mapping[Kind, GroupCommit]
    status: StatusSource
    zone: tzinfo
    desk: Desk
    teller: Teller
    flymaster_secret: str | None = None
