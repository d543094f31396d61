"""Requests that are validated together keep their own rejects, flights and counts."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.ingest.merge import merge
from pointq.ingest.submission import Merged, Submission
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE

NOW_US = 1_782_043_200_000_000  # 2026-06-21T12:00:00Z
GOOD: dict[str, Any] = {"lat": 45.0, "lon": 6.0, "datetime": "2026-06-21T11:59:00Z"}
BAD: dict[str, Any] = {**GOOD, "lat": 91}


def submission(flight_id: str, *points: object) -> Submission:
    return Submission(LIVE, list(points), Flight.of("live", flight_id))


def test_each_request_gets_its_own_rejects_and_count() -> None:
    merged = merge(
        LIVE,
        [submission("a", GOOD, BAD), submission("b", BAD), submission("c", GOOD, GOOD, {}, GOOD)],
        now_us=NOW_US,
        zone=UTC,
    )

    assert [verdict.points for verdict in merged.verdicts] == [1, 0, 3]
    assert [[(r.index, r.field) for r in v.rejects] for v in merged.verdicts] == [[(1, "lat")], [(0, "lat")], [(2, "datetime")]]
    assert merged.rejected == 3
    assert [f.flight_id for f in merged.batch.flights] == ["a", "c"]
    assert merged.batch.flight.tolist() == [0, 1, 1, 1]
    assert merged.verdicts[1].flight is None


def test_requests_of_one_flight_share_it() -> None:
    merged = merge(LIVE, [submission("a", GOOD), submission("a", GOOD)], now_us=NOW_US, zone=UTC)

    assert len(merged.batch.flights) == 1
    assert merged.batch.flight.tolist() == [0, 0]


def test_a_device_without_flight_gets_one_a_day_in_the_configured_zone() -> None:
    night: list[object] = [{**GOOD, "datetime": "2026-06-20T21:59:59Z"}, {**GOOD, "datetime": "2026-06-20T22:00:00Z"}]
    merged = merge(LIVE, [Submission(LIVE, night, None, "phone-7")], now_us=NOW_US, zone=ZoneInfo("Europe/Paris"))

    assert [f.flight_id for f in merged.batch.flights] == ["phone-7:2026-06-20", "phone-7:2026-06-21"]
    assert merged.batch.flight.tolist() == [0, 1]
    flight = merged.verdicts[0].flight
    assert flight is not None
    assert flight.flight_id == "phone-7:2026-06-21"


def test_nothing_good_makes_an_empty_batch() -> None:
    merged = merge(LIVE, [submission("a", BAD), submission("b", 17)], now_us=NOW_US, zone=UTC)

    assert len(merged.batch) == 0
    assert [v.points for v in merged.verdicts] == [0, 0]


def told(merged: Merged) -> list[object]:
    return [(verdict.points, list(verdict.rejects), verdict.flight) for verdict in merged.verdicts]


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=12))
def test_merging_equals_one_by_one(requests: list[list[bool]]) -> None:
    submissions = [
        submission(f"flight-{i % 3}", *({**(GOOD if good else BAD), "lon": i + j / 10} for j, good in enumerate(goods)))
        for i, goods in enumerate(requests)
    ]
    together = merge(LIVE, submissions, now_us=NOW_US, zone=UTC)
    alone = [merge(LIVE, [one], now_us=NOW_US, zone=UTC) for one in submissions]

    assert told(together) == [verdict for one in alone for verdict in told(one)]
    assert together.rejected == sum(one.rejected for one in alone)
    lons = np.concatenate([one.batch.columns["lon"] for one in alone])
    assert together.batch.columns["lon"].tolist() == lons.tolist()


@pytest.mark.parametrize("count", [1, 40])
def test_rejects_are_counted_from_each_requests_first_point(count: int) -> None:
    merged = merge(LIVE, [submission("a", *([GOOD] * count), BAD) for _ in range(3)], now_us=NOW_US, zone=UTC)

    assert [[r.index for r in v.rejects] for v in merged.verdicts] == [[count]] * 3
