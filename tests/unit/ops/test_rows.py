"""Points as plain values."""

import numpy as np
import pytest

from pointq.ops.rows import rows
from pointq.points.batch import PointBatch, nulls
from pointq.points.flights import Flight
from pointq.points.kinds import KINDS, NULL_TEXT, SCORING, Kind
from tests.support.frames import START_US, batch

A, B = Flight.of("scoring", "a", "d"), Flight.of("scoring", "b")
NULL_TIME = -(2**63)


def test_every_type_and_its_null() -> None:
    columns = {
        "time": np.array([START_US, START_US + 250_000]),
        "lat": np.array([45.5, -1.0]),
        "lon": np.array([6.5, 7.0]),
        "time_text": np.array(["10:00 é".encode(), NULL_TEXT]),
        "rounded_time": np.array([START_US, NULL_TIME]),
        "lad": np.array([-5, -(2**31)], np.int32),
        "in_flight": np.array([1, -1], np.int8),
        "takeoff_condition": np.array([0, -1], np.int8),
        "gps_alt": np.array([1500.0, np.nan]),
    }

    first, second = rows(PointBatch(SCORING, (A, B), np.array([0, 1], np.int32), columns))

    assert first["flight_uuid"] == str(A.uuid)
    assert (first["flight_id"], first["device_id"], second["flight_id"], second["device_id"]) == ("a", "d", "b", None)
    assert (first["time"], second["time"]) == ("2025-06-01T10:00:00.000000Z", "2025-06-01T10:00:00.250000Z")
    assert (first["rounded_time"], first["time_text"]) == ("2025-06-01T10:00:00Z", "10:00 é")
    assert [first[name] for name in ("lad", "in_flight", "takeoff_condition", "gps_alt")] == [-5, True, False, 1500.0]
    own = [name for name in second if name not in {"flight_uuid", "flight_id", "device_id", "time", "lat", "lon"}]
    assert {second[name] for name in own} == {None}
    assert {"validity", "speed_smooth"} <= set(own)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_all_columns_are_there(kind: Kind) -> None:
    (row,) = rows(batch(1, kind=kind))

    assert list(row) == ["flight_uuid", "flight_id", "device_id", *(column.name for column in kind.columns)]


def test_many_and_few() -> None:
    points = batch(2_500)

    assert [row["elevation"] for row in rows(points)] == [1_000.0 + i for i in range(2_500)]
    assert len(list(rows(points, 3))) == 3
    assert list(rows(points, 0)) == []


def test_a_column_of_nulls_alone() -> None:
    points = batch(2)
    columns = {**points.columns, "valid": nulls(points.kind.by_name["valid"], 2)}

    assert [row["valid"] for row in rows(PointBatch(points.kind, points.flights, points.flight, columns))] == [None, None]
