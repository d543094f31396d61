"""A batch made ready: sorted, without repeats, summarized."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pointq.points.kinds import SCORING
from pointq.store.prepared import prepare, summarize
from tests.store.batches import batch_of, keys_of

POINTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60)


@given(POINTS)
def test_each_key_once_in_the_order_of_keys(points: list[tuple[int, int, int]]) -> None:
    prepared = prepare(keys_of(["d", "b", "c", "a"], points))
    batch = prepared.batch

    assert [f.uuid.bytes for f in batch.flights] == sorted(f.uuid.bytes for f in batch.flights)
    keys = list(zip(batch.flight.tolist(), batch.time.tolist(), strict=True))
    assert keys == sorted(keys)
    assert len(batch) == len(set(points))
    assert prepared.repeated == len(points) - len(set(points))


def test_the_first_of_equal_keys_is_kept() -> None:
    batch = keys_of(["a"], [(0, 1, 2), (0, 0, 0), (0, 1, 2), (0, 1, 2)])
    batch.columns["elevation"][:] = [10, 11, 12, 13]

    prepared = prepare(batch)

    assert prepared.repeated == 2
    assert prepared.batch.columns["elevation"].tolist() == [11, 10]


def test_minus_zero_is_zero_as_in_the_index() -> None:
    batch = keys_of(["a"], [(0, 0, 0), (0, 0, 0)])
    batch.columns["lat"][:] = [0.0, -0.0]

    assert prepare(batch).repeated == 1


@given(POINTS)
def test_the_summary_of_each_flight(points: list[tuple[int, int, int]]) -> None:
    batch = prepare(keys_of(["d", "b", "c", "a"], points)).batch
    lat, lon, altitude = (batch.columns[name] for name in ("lat", "lon", "elevation"))

    added = summarize(batch)

    assert added.flight.tolist() == sorted(set(batch.flight.tolist()))
    for place, flight in enumerate(added.flight.tolist()):
        mine = np.flatnonzero(batch.flight == flight)
        last = max(mine, key=lambda i: (batch.time[i], lat[i], lon[i]))
        assert added.points[place] == len(mine)
        assert (added.first[place], added.last[place]) == (batch.time[mine].min(), batch.time[mine].max())
        assert (added.last_lat[place], added.last_lon[place]) == (lat[last], lon[last])
        assert added.last_elevation[place] == altitude[last]
        assert (added.min_lat[place], added.max_lat[place]) == (lat[mine].min(), lat[mine].max())
        assert (added.min_lon[place], added.max_lon[place]) == (lon[mine].min(), lon[mine].max())


def test_a_kind_without_altitudes_in_the_batch() -> None:
    assert np.isnan(summarize(batch_of(3, kind=SCORING)).last_elevation).all()


def test_sorting_takes_every_column_along() -> None:
    chance = random.Random(1)  # noqa: S311 - repeatable
    batch = batch_of(100, speed=np.arange(100.0))
    order = np.array(chance.sample(range(100), 100))

    assert prepare(batch.take(order)).batch.equals(prepare(batch).batch)
