"""Batches: the same points, some points, all points."""

import math
import struct
from uuid import UUID

import numpy as np
import pytest

from pointq.points.batch import PointBatch, concat, is_null, merge_flights, nulls
from pointq.points.flights import Flight
from pointq.points.kinds import KINDS, LIVE, NULL_TEXT, SCORING, UPLOAD, Kind

_A, _B = Flight.of("live", "a", "phone"), Flight.of("live", "b")


def _batch(*times: int, kind: Kind = LIVE, flights: tuple[Flight, ...] = (_A,), **columns: list[object]) -> PointBatch:
    count = len(times)
    given = {name: np.array(values) for name, values in columns.items()}
    own = {"time": np.array(times, np.int64), "lat": np.full(count, 46.5), "lon": np.full(count, 7.5)}
    return PointBatch(kind, flights, np.arange(count, dtype=np.int32) % len(flights), own | given)


def test_a_batch_knows_its_length_and_times() -> None:
    batch = _batch(1, 2, 3)
    assert len(batch) == 3
    assert batch.time.tolist() == [1, 2, 3]


def test_a_column_that_is_left_out_is_null() -> None:
    batch = _batch(1, 2, kind=SCORING)
    for column in SCORING.columns[3:]:
        values = batch.column(column.name)
        assert len(values) == 2
        assert is_null(column, values).all()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_nulls_are_null(kind: Kind) -> None:
    for column in kind.columns:
        assert is_null(column, nulls(column, 3)).tolist() == [True] * 3


def test_take_by_places_and_by_mask() -> None:
    batch = _batch(1, 2, 3, 4, flights=(_A, _B), speed=[1.0, 2.0, 3.0, 4.0])
    some = batch.take(np.array([3, 0]))
    assert some.time.tolist() == [4, 1]
    assert some.flight.tolist() == [1, 0]
    assert some.columns["speed"].tolist() == [4.0, 1.0]
    assert some.flights == batch.flights
    assert batch.take(np.array([True, False, False, True])).time.tolist() == [1, 4]


def test_equal_batches() -> None:
    batch = _batch(1, 2, speed=[1.0, math.nan])
    assert batch.equals(_batch(1, 2, speed=[1.0, math.nan]))
    assert _batch(1, heading=[math.nan]).equals(_batch(1))  # all NULL is as good as left out


@pytest.mark.parametrize(
    "other",
    [
        _batch(1, 2, speed=[1.0, 2.0]),
        _batch(2, 1, speed=[1.0, math.nan]),
        _batch(1, 2, speed=[1.0, math.nan], kind=UPLOAD),
        _batch(1, 2, speed=[1.0, math.nan], flights=(_B,)),
        _batch(1, 2, speed=[1.0, math.nan], flights=(_A, _B)),
        _batch(1, speed=[1.0]),
        _batch(1, 2),
    ],
)
def test_different_batches(other: PointBatch) -> None:
    batch = _batch(1, 2, speed=[1.0, math.nan])
    assert not batch.equals(other)
    assert not other.equals(batch)


def test_equality_is_of_bits() -> None:
    assert not _batch(1, speed=[0.0]).equals(_batch(1, speed=[-0.0]))
    other_nan = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
    assert not _batch(1, speed=[math.nan]).equals(_batch(1, speed=[other_nan]))


def test_texts_are_equal_whatever_the_width_of_their_array() -> None:
    narrow, wide = _batch(1, kind=SCORING), _batch(1, kind=SCORING)
    narrow = PointBatch(SCORING, (_A,), narrow.flight, {**narrow.columns, "validity": np.array([b"A"], "S1")})
    wide = PointBatch(SCORING, (_A,), wide.flight, {**wide.columns, "validity": np.array([b"A"], "S9")})
    assert narrow.equals(wide)


def test_concat_merges_flights_and_fills_columns() -> None:
    first = _batch(1, 2, flights=(_A, _B), speed=[1.0, 2.0])
    second = _batch(3, 4, 5, flights=(_B, _A), heading=[7.0, 8.0, 9.0])
    both = concat([first, second])
    assert both.time.tolist() == [1, 2, 3, 4, 5]
    assert both.flights == (_A, _B)
    assert both.flight.tolist() == [0, 1, 1, 0, 1]
    assert both.flight.dtype == np.int32
    assert list(both.columns) == ["time", "lat", "lon", "speed", "heading"]
    assert np.isnan(both.columns["heading"]).tolist() == [True, True, False, False, False]
    assert concat([first, second]).take(np.arange(2)).equals(PointBatch(LIVE, (_A, _B), first.flight, dict(first.columns)))


def test_concat_of_one_is_itself() -> None:
    batch = _batch(1)
    assert concat([batch]) is batch


def test_concat_of_texts_of_different_widths() -> None:
    def with_text(text: bytes) -> PointBatch:
        plain = _batch(1, kind=SCORING)
        return PointBatch(SCORING, (_A,), plain.flight, {**plain.columns, "validity": np.array([text])})

    joined = concat([with_text(b"A"), with_text(b""), with_text("é✈".encode()), _batch(1, kind=SCORING)])
    assert joined.columns["validity"].tolist() == [b"A", b"", "é✈".encode(), NULL_TEXT]


def test_the_first_of_each_flight_is_kept() -> None:
    same = Flight(_A.uuid, None, None)
    flights, index = merge_flights([_B, _A, same, _B])
    assert flights == (_B, _A)
    assert index == {_B.uuid: 0, _A.uuid: 1}
    assert merge_flights([]) == ((), {})
    assert isinstance(next(iter(index)), UUID)
