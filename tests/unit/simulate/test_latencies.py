import numpy as np
import pytest

from pointq.ops.simulate.latencies import Latencies
from pointq.ops.simulate.totals import Ranges


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99, 1.0])
def test_a_percentile_is_at_most_two_percent_too_high(share: float) -> None:
    values = np.random.default_rng(1).lognormal(-3, 2, 10_000)
    latencies = Latencies()
    for part in np.split(values, 100):
        latencies.add(part)

    exact = np.quantile(values, share, method="inverted_cdf")
    found = latencies.percentile(share)
    assert found is not None
    assert exact * 0.9999 <= found <= exact * 1.021
    assert (latencies.count, latencies.highest) == (10_000, values.max())


def test_nothing_has_no_percentile_and_anything_has_one() -> None:
    latencies = Latencies()
    assert latencies.percentile(0.5) is None

    latencies.add([-1.0, 0.0, 1e9])
    assert latencies.percentile(0.5) == pytest.approx(1e-5, rel=0.03)
    assert latencies.percentile(1.0) is not None


def test_ranges_that_touch_are_one() -> None:
    ranges = Ranges()
    for first, stop in ((0, 5), (5, 7), (9, 10), (10, 12)):
        ranges.add(first, stop)

    assert ranges.spans == [(0, 7), (9, 12)]
