import pytest

from pointq.ops.bench.figures import Spread, Target, Verdict, compared, measured, percentile


@pytest.mark.parametrize(
    ("target", "low", "high", "verdict"),
    [
        (Target(0.9), 0.91, 0.95, "met"),
        (Target(0.9), 0.9, 0.9, "met"),
        (Target(0.9), 0.85, 0.89, "missed"),
        (Target(0.9), 0.89, 0.91, "not proven"),
        (Target(0.9), 0.9, 0.92, "not proven"),
        (Target(10, at_least=False), 7, 8, "met"),
        (Target(10, at_least=False), 10, 10, "met"),
        (Target(10, at_least=False), 9, 11, "not proven"),
        (Target(10, at_least=False), 11, 12, "missed"),
    ],
)
def test_a_target_within_the_spread_is_not_proven(target: Target, low: float, high: float, verdict: Verdict) -> None:
    assert target.judge(low, high) == verdict


def test_a_spread_is_median_and_quartiles() -> None:
    assert Spread.of([5, 1, 2, 3, 4, 100, 0]) == Spread(3, 1.5, 4.5, 7)
    assert Spread.of([2.5]) == Spread(2.5, 2.5, 2.5, 1)


def test_a_ratio_is_the_median_of_the_pairs_own_ratios() -> None:
    # the machine is half as fast in the last pairs: the ratio of the medians would say 0.45
    pairs = [(100.0, 90.0)] * 4 + [(50.0, 45.0)] * 3

    figure = compared("db", "fresh", "COPY", pairs, target=Target(0.85))

    assert (figure.ratio, figure.ratio_low, figure.ratio_high, figure.pairs) == (0.9, 0.9, 0.9, 7)
    assert (figure.points_per_second, figure.floor_points_per_second) == (90, 100)
    assert (figure.target, figure.verdict) == ("≥ 0.85", "met")


def test_fewer_than_seven_pairs_prove_nothing() -> None:
    assert compared("db", "fresh", "COPY", [(100.0, 99.0)] * 6, target=Target(0.9)).verdict == "not proven"


def test_a_measurement_has_a_value_and_no_ratio() -> None:
    figure = measured("http", "memory", "MiB", [90, 100, 110], target=Target(120, at_least=False))

    assert (figure.value, figure.ratio, figure.target, figure.verdict) == (100, None, "≤ 120 MiB", "met")


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile(range(1000), 0.99) == 990
    assert percentile([3, 1, 2], 1.0) == 3
    assert percentile([7], 0.5) == 7
