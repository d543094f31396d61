"""The rule by which a lane is OK, LAGGING or STALLED."""

from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise

import pytest

from pointq.ops.history import History
from pointq.ops.status import QueueStatus
from pointq.ops.trend import Sample, Trend, trend


def look(at: float, waiting: int, age: float | None = None, in_rate: float = 0.0, out_rate: float = 0.0) -> Sample:
    return Sample(at, waiting, age if waiting else None, in_rate, out_rate)


def trends(samples: Iterable[Sample]) -> list[Trend | None]:
    """What is said after each look."""
    seen: list[Sample] = []
    said: list[Trend | None] = []
    for sample in samples:
        seen.append(sample)
        said.append(trend(seen, said[-1] if said else None))
    return said


def lane(waiting: Callable[[int], int], age: Callable[[int], float], out: Callable[[int], float], looks: int) -> list[Sample]:
    return [look(float(at), waiting(at), age(at), 100.0, out(at)) for at in range(looks)]


def test_too_few_looks_say_nothing() -> None:
    assert trends([look(0, 5, 100), look(1, 5, 101)]) == [None, None]


def test_an_empty_lane_is_ok() -> None:
    assert set(trends(look(at, 0) for at in range(60))[2:]) == {"ok"}


def test_a_lane_is_stalled_after_ten_seconds_in_which_nothing_left() -> None:
    # the last point left at 0: the rate is a mean over ten seconds
    said = trends(lane(lambda _: 500, lambda at: at, lambda at: max(10 - at, 0), 20))

    assert said.index("stalled") == 12
    assert set(said[12:]) == {"stalled"}


def test_what_came_just_now_does_not_stall() -> None:
    """Nothing left for long, since nothing was there."""
    said = trends([*(look(at, 0) for at in range(20)), *(look(20 + at, 500, at, 50) for at in range(8))])

    assert set(said[2:]) == {"ok"}


def test_a_worker_that_dies_again_and_again_does_not_end_it() -> None:
    still = lane(lambda _: 500, lambda at: 20 + at, lambda _: 0.0, 5)
    blinks = [look(5 + at, 500, 25 + at, 100, 1.0 if at % 3 == 0 else 0.0) for at in range(30)]

    assert set(trends([*still, *blinks])[3:]) == {"stalled"}


def test_it_ends_when_points_leave_for_five_looks() -> None:
    still = lane(lambda _: 500, lambda at: 20 + at, lambda _: 0.0, 5)
    flows = [look(5 + at, 500 - at, 25 + at, 100, 1.0) for at in range(10)]
    said = trends([*still, *flows])

    assert said[5:] == ["stalled"] * 4 + ["ok"] * 6


def test_it_ends_when_nothing_waits() -> None:
    still = lane(lambda _: 500, lambda at: 20 + at, lambda _: 0.0, 5)

    assert trends([*still, look(5, 0)])[-1] == "ok"


def test_a_lane_that_grows_lags() -> None:
    """100 come each second and 50 leave; the oldest waits ever longer."""
    said = trends(lane(lambda at: 50 * at, lambda at: at / 2, lambda _: 50.0, 60))

    assert said.index("lagging") == pytest.approx(28, abs=2)
    assert set(said[30:]) == {"lagging"}


@pytest.mark.parametrize("every", [2, 5, 9])
def test_bursts_that_are_stored_before_the_next_do_not_lag(every: int) -> None:
    """Growing ones, of one second."""
    said = trends(
        lane(lambda at: 1000 * at if at % every == 0 else 0, lambda _: 6.0, lambda _: 100.0, 120),
    )

    assert set(said[2:]) == {"ok"}


def test_a_lane_that_keeps_up_does_not_lag_whatever_its_depth() -> None:
    """Twice as many points every ten seconds, none of them older than two seconds."""
    said = trends(lane(lambda at: int(100 * 1.07**at), lambda _: 2.0, lambda _: 100.0, 120))

    assert set(said[2:]) == {"ok"}


def test_a_backlog_that_shrinks_is_ok_although_its_age_grows() -> None:
    """Of an import that came at once."""
    said = trends(lane(lambda at: 100_000 - 500 * at, float, lambda _: 500.0, 120))

    assert set(said[2:]) == {"ok"}


def test_it_does_not_flap_where_the_depth_wavers() -> None:
    noise = (0, 40, -30, 20, -45, 10)
    growing = lane(lambda at: 50 * at + noise[at % 6], lambda at: at / 2, lambda _: 50.0, 60)
    level = [look(60 + at, 3000 + noise[at % 6] - 5 * at, 30.0, 100, 110.0) for at in range(60)]
    said = trends([*growing, *level])
    changes = sum(before != after for before, after in pairwise(said[2:]))

    assert "lagging" in said
    assert said[-1] == "ok"
    assert changes == 2


@pytest.mark.parametrize("interval", [0.2, 1.0, 5.0, 30.0])
def test_the_rule_holds_for_any_interval(interval: float) -> None:
    times = list(accumulate([interval] * 400))[: max(int(120 / interval), 12)]
    grows = [look(at, int(50 * at), at / 2 + 5, 100, 50.0) for at in times]
    shrinks = [look(at, int(1_000_000 - 50 * at), at / 2 + 5, 100, 150.0) for at in times]

    assert trends(grows)[-1] == "lagging"
    assert set(trends(shrinks)[2:]) == {"ok"}


def queue(waiting: int | None, age: float | None = None) -> QueueStatus:
    return QueueStatus("live", 1, total_pending=waiting, oldest_age_seconds=age, out_points_per_second=0.0)


def test_a_gap_begins_anew() -> None:
    """What was before Redis went away says nothing about now."""
    history = History()
    before = [history.add(at, queue(5, 100.0 + at)) for at in range(4)]
    gap = history.add(4, queue(None))
    after = [history.add(5 + at, queue(5, 105.0 + at)) for at in range(4)]

    assert before == [None, None, "stalled", "stalled"]
    assert gap is None
    assert after == [None, None, "stalled", "stalled"]
    assert [sample is None for sample in history.looks] == [False] * 4 + [True] + [False] * 4


def test_old_looks_are_forgotten_in_blocks_that_curves_can_draw() -> None:
    history = History()
    for at in range(2000):
        history.add(at, queue(at))
    first = history.looks[0]

    assert 600 <= len(history.looks) <= 1020
    assert first is not None
    assert all(first.waiting % together == 0 for together in range(1, 8))
