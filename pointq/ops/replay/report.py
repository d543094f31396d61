"""What a replay did, or would do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pointq.queue.lanes import Lane

SourceName = Literal["dead", "retained", "files", "spool"]


@dataclass(slots=True)
class Share:
    """What goes into one lane."""

    kind: str
    shard: int
    batches: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that cannot go back."""

    where: str
    """A file with the place in it, or a kind."""
    reason: str
    kind: str | None = None
    points: int | None = None
    """None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some of what was put back came back as dead letters."""

    sqlstate: str
    message: str
    """Of one of them."""
    batches: int
    points: int
    most_refusals: int
    """How often the database has refused any of them, this time included."""


@dataclass(slots=True)
class Report:
    """The sums of a replay while it runs."""

    source: SourceName
    shares: dict[Lane, Share] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    gone_batches: int = 0
    """They were there when they were chosen, and someone else took them before they could be put back."""
    came_back: Sequence[Reason] | None = None
    """None where it was not waited for."""

    @property
    def batches(self) -> int:
        """Batches of all lanes."""
        return sum(share.batches for share in self.shares.values())

    @property
    def points(self) -> int:
        """Points of all lanes."""
        return sum(share.points for share in self.shares.values())

    def add(self, lane: Lane, points: int) -> None:
        """Count a batch."""
        share = self.shares.setdefault(lane, Share(lane.kind.name, lane.shard))
        share.batches += 1
        share.points += points

    def refuse(self, refusal: Refusal) -> None:
        """Count something that stays where it is."""
        self.refusals.append(refusal)
