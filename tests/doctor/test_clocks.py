"""Clocks: what is measured, and what counts."""

import itertools

import pytest

from pointq.ops.doctor.checks import clocks as checks
from pointq.ops.doctor.sources.clocks import ClockPair, Offset, offset
from pointq.ops.doctor.sources.queue import QueueClock


async def test_half_of_the_round_trip_is_uncertain() -> None:
    # three looks: the round trips take 0.4, 0.1 and 0.2 s
    ours = iter((100.0, 100.4, 200.0, 200.1, 300.0, 300.2))
    theirs = itertools.cycle((105.0, 205.05, 305.0))

    async def ask() -> float:
        return next(theirs)

    found = await offset(ask, lambda: next(ours))

    assert found.seconds == pytest.approx(5.0)
    assert found.uncertainty == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("seconds", "uncertainty", "severity"),
    [
        (0.0, 0.0, "ok"),
        (-0.9, 0.0, "ok"),
        (-1.1, 0.0, "warn"),
        (1.3, 0.4, "ok"),
        (1.5, 0.4, "warn"),
        (299.0, 0.0, "warn"),
        (-301.0, 0.0, "fail"),
    ],
)
def test_only_what_the_measurement_cannot_explain_counts(seconds: float, uncertainty: float, severity: str) -> None:
    (finding,) = checks.redis(QueueClock(Offset(seconds, uncertainty)))

    assert finding.severity == severity


def test_two_servers_against_each_other() -> None:
    (finding,) = checks.servers(ClockPair(redis=Offset(2.0, 0.1), database=Offset(-2.0, 0.2)))

    assert (finding.severity, finding.message) == ("warn", "the database's clock is 4.0 s behind Redis's, ± 300.0 ms")
