from collections.abc import Sequence

import numpy as np
import orjson
import pytest

from pointq.ops.bench import tracks
from pointq.ops.bench.tracks import CHUNK, Tracks
from pointq.ops.bodies import json_body
from pointq.points.batch import PointBatch, concat
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, UPLOAD
from pointq.points.validation import validate

NOW_US = 1_900_000_000_000_000


@pytest.fixture(scope="module")
def made() -> Tracks:
    return tracks.load(None, seed=1)


@pytest.fixture(scope="module")
def chunks(made: Tracks) -> Sequence[PointBatch]:
    return made.chunks(200_000)


def test_the_same_seed_makes_the_same_points_and_another_makes_others(chunks: Sequence[PointBatch]) -> None:
    again, other = (tracks.load(None, seed).chunks(5_000) for seed in (1, 2))

    assert all(one.equals(two) for one, two in zip(chunks[:5], again, strict=True))
    assert not other[0].equals(again[0])


def test_uploads_are_a_thousand_points_of_one_flight_in_order(chunks: Sequence[PointBatch]) -> None:
    assert tracks.total(chunks) == 200_000
    for chunk in chunks:
        assert (len(chunk), len(chunk.flights)) == (CHUNK, 1)
        assert (np.diff(chunk.time) >= 0).all()


def test_no_point_comes_twice_even_when_the_flights_are_used_up(made: Tracks) -> None:
    everything = concat(made.chunks(1_500_000))
    keys = np.stack([everything.flight, everything.time])

    assert len(np.unique(keys, axis=1).T) == len(everything) == 1_500_000


def test_positions_have_all_the_digits_that_phones_send(chunks: Sequence[PointBatch]) -> None:
    lat = concat(chunks).columns["lat"]

    assert np.mean(np.round(lat, 7) == lat) < 0.001


def test_a_body_is_what_the_server_takes_bit_for_bit(chunks: Sequence[PointBatch]) -> None:
    body = orjson.loads(json_body(chunks[3]))
    validated = validate(UPLOAD, body["track_points"], now_us=NOW_US)

    assert not validated.rejects
    for name, values in chunks[3].columns.items():
        np.testing.assert_array_equal(validated.columns[name], values, err_msg=name)


def test_posts_are_of_one_point_and_of_many_pilots(made: Tracks) -> None:
    posts = [orjson.loads(body) for body in tracks.live_bodies(made, 450)]
    validated = validate(LIVE, [post["track_points"][0] for post in posts], now_us=NOW_US)

    assert not validated.rejects
    assert len({post["flight_id"] for post in posts}) == 150
    assert len({(post["flight_id"], post["track_points"][0]["datetime"]) for post in posts}) == 450


def test_a_share_of_each_batch_was_in_the_batch_before(chunks: Sequence[PointBatch]) -> None:
    parts = tracks.batches(chunks, 20_000)
    mixed = tracks.with_repeats(parts, 0.01, seed=1)

    assert [len(batch) for batch in mixed] == [20_000] + [20_200] * 9
    for before, batch in zip(parts, mixed[1:], strict=False):
        known = {(flight.uuid, us) for flight, us in _keys(before)}
        assert all((flight.uuid, us) in known for flight, us in _keys(batch)[-200:])


@pytest.mark.parametrize("points", [100, 1_000, 5_000])
def test_batches_of_any_size_are_full(chunks: Sequence[PointBatch], points: int) -> None:
    sized = tracks.sized(chunks, points)

    assert {len(batch) for batch in sized} == {points}
    assert tracks.total(sized) == 200_000


def test_too_few_points_for_a_batch_are_one_short_batch(chunks: Sequence[PointBatch]) -> None:
    assert [len(batch) for batch in tracks.sized(chunks[:4], 50_000)] == [4_000]


def _keys(batch: PointBatch) -> list[tuple[Flight, int]]:
    return [(batch.flights[place], us) for place, us in zip(batch.flight.tolist(), batch.time.tolist(), strict=True)]
