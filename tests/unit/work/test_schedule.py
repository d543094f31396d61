"""Which lane is next: shares by weight, nobody starved, nothing saved up."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.queue.lanes import Lane, lanes_of
from pointq.work.schedule import Schedule

FULL = 1_000
LANES = lanes_of()
LIVE, UPLOAD, SCORING, FLYMASTER = LANES


def serve(schedule: Schedule, has: dict[Lane, int], times: int) -> Counter[Lane]:
    """Take so often from the first lane that has anything, at most a full lot; the points taken from each."""
    taken: Counter[Lane] = Counter()
    for _ in range(times):
        for lane in schedule.order():
            points = min(has.get(lane, 0), FULL)
            if points:
                has[lane] -= points
                taken[lane] += points
                schedule.took(lane, points)
                break
            schedule.empty(lane)
    return taken


def test_lanes_with_work_share_by_weight() -> None:
    taken = serve(Schedule(LANES, full=FULL), dict.fromkeys(LANES, 10**9), 1_500)

    shares = {lane: points / taken.total() for lane, points in taken.items()}
    assert shares == {
        LIVE: pytest.approx(8 / 15, abs=0.01),
        UPLOAD: pytest.approx(3 / 15, abs=0.01),
        SCORING: pytest.approx(3 / 15, abs=0.01),
        FLYMASTER: pytest.approx(1 / 15, abs=0.01),
    }


def test_one_lane_alone_gets_everything() -> None:
    assert serve(Schedule(LANES, full=FULL), {FLYMASTER: 10**9}, 100) == {FLYMASTER: 100 * FULL}


def test_the_highest_priority_is_first_where_all_are_equal() -> None:
    assert Schedule([FLYMASTER, UPLOAD, LIVE], full=FULL).order() == [LIVE, UPLOAD, FLYMASTER]


def test_a_lane_that_was_empty_for_long_does_not_take_it_all_afterwards() -> None:
    schedule = Schedule(LANES, full=FULL)
    serve(schedule, {UPLOAD: 10**9}, 10_000)

    taken = serve(schedule, {LIVE: 10**9, UPLOAD: 10**9}, 110)

    assert taken[UPLOAD] == pytest.approx(30 * FULL, abs=2 * FULL)


def test_a_lane_that_comes_back_is_next() -> None:
    schedule = Schedule(LANES, full=FULL)
    serve(schedule, {FLYMASTER: 10**9}, 100)

    assert serve(schedule, {LIVE: FULL, FLYMASTER: 10**9}, 1) == {LIVE: FULL}


def test_small_reads_are_charged_for_their_transactions() -> None:
    schedule = Schedule([LIVE, UPLOAD], full=FULL)
    reads: Counter[Lane] = Counter()
    for _ in range(1_000):
        lane = schedule.order()[0]
        reads[lane] += 1
        schedule.took(lane, 1 if lane is LIVE else FULL)

    assert reads[UPLOAD] > 10


@given(st.lists(st.tuples(st.sampled_from(LANES), st.integers(1, FULL)), max_size=60))
def test_no_lane_with_work_waits_longer_than_its_weight_says(before: list[tuple[Lane, int]]) -> None:
    schedule = Schedule(LANES, full=FULL)
    for lane, points in before:
        serve(schedule, {lane: points}, 1)

    # one that was alone is two of its lots ahead: the others have two rounds of 8 + 3 + 3 lots first, and one each where equal
    assert set(serve(schedule, dict.fromkeys(LANES, 10**9), 2 * 14 + 3 + 1)) == set(LANES)


def test_strict_takes_the_priorities_one_after_the_other() -> None:
    schedule = Schedule(LANES, full=FULL, strict=True)
    has = {LIVE: 5 * FULL, UPLOAD: 5 * FULL, FLYMASTER: 5 * FULL}

    assert serve(schedule, has, 5) == {LIVE: 5 * FULL}
    assert serve(schedule, has, 5) == {UPLOAD: 5 * FULL}
    assert serve(schedule, has, 5) == {FLYMASTER: 5 * FULL}
