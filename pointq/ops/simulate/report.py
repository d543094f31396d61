"""The account of a simulation. Points, seconds; RFC 3339 times."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from pointq.ops.simulate.run import Simulation, kinds_of
from pointq.ops.simulate.verify import Verification


@dataclass(frozen=True, slots=True)
class Points:
    """sent = accepted + rejected + refused."""

    sent: int
    accepted: int
    rejected: int
    rejected_as_meant: int
    refused: int
    unsent: int
    duplicates_sent: int


@dataclass(frozen=True, slots=True)
class Requests:
    """How the points travelled."""

    total: int
    by_status: Mapping[str, int]
    unanswered: int
    retries: int


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """From when a point was due to leave to the answer; None where there was none."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an operator wants to know of a rehearsal."""

    url: str
    name: str
    seed: int
    start: dt.datetime
    duration_seconds: float
    speed: float
    wall_seconds: float
    interrupted: bool
    pilots: Mapping[str, int]
    points: Points
    points_per_second: float
    requests: Requests
    latency_seconds: LatencySummary
    verification: Verification | None
    verification_error: str | None


def report_of(
    simulation: Simulation, *, interrupted: bool, verification: Verification | None = None, error: str | None = None
) -> Report:
    """The account of a simulation that has ended."""
    plan, totals = simulation.plan, simulation.totals
    latencies, wall = totals.latencies, simulation.wall_seconds
    return Report(
        url=plan.url,
        name=plan.name,
        seed=plan.seed,
        start=plan.start,
        duration_seconds=plan.duration,
        speed=plan.speed,
        wall_seconds=round(wall, 3),
        interrupted=interrupted,
        pilots=kinds_of(plan),
        points=Points(
            sent=totals.sent,
            accepted=totals.accepted,
            rejected=totals.rejected,
            rejected_as_meant=totals.rejected_as_meant,
            refused=totals.refused,
            unsent=simulation.unsent,
            duplicates_sent=totals.duplicates_sent,
        ),
        points_per_second=round(totals.accepted / wall, 1) if wall else 0.0,
        requests=Requests(
            total=totals.requests,
            by_status={str(status): count for status, count in sorted(totals.statuses.items())},
            unanswered=totals.unanswered,
            retries=totals.retries,
        ),
        latency_seconds=LatencySummary(
            p50=latencies.percentile(0.5),
            p95=latencies.percentile(0.95),
            p99=latencies.percentile(0.99),
            max=latencies.highest if latencies.count else None,
        ),
        verification=verification,
        verification_error=error,
    )
