"""What one request brings, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import Kind
from pointq.points.rejects import Reject


class Submission(NamedTuple):  # thirty are made for each batch: a third of a frozen dataclass's time
    """The points of one request, as JSON gave them, and whose they are.

    Either `flight` is known, or the points belong to the days of `device_id`.
    """

    kind: Kind
    points: Sequence[object]
    flight: Flight | None
    device_id: str = ""


class Verdict(NamedTuple):
    """What became of one request's points: how many are durable now, and which were refused."""

    points: int
    rejects: Sequence[Reject]
    flight: Flight | None
    """The flight of the last good point; None where there is none."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Several requests' good points as one batch, and the verdict on each request."""

    batch: PointBatch
    verdicts: Sequence[Verdict]
    rejected: int
