"""Ids of flights."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from pointq.points.flights import Flight, device_day_flights, flight_uuid


def _times(*texts: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(datetime.fromisoformat(text).timestamp()) * 1_000_000 for text in texts], np.int64)


def test_the_uuid_of_a_flight_never_changes() -> None:
    assert flight_uuid("live", "pilot-0042") == UUID("ffbe2a26-570a-5128-b5f9-be6b124c9b33")
    assert flight_uuid("live", "Zürich-Åre ✈") == UUID("595a2764-4565-57fe-a0e6-19a6a0d6b1e1")


def test_the_kind_is_part_of_the_identity() -> None:
    assert flight_uuid("live", "x") != flight_uuid("upload", "x")


def test_a_flight_by_its_id() -> None:
    assert Flight.of("live", "x", "phone") == Flight(flight_uuid("live", "x"), "x", "phone")


def test_a_device_flies_by_the_day_in_utc() -> None:
    times = _times("2024-07-01T23:59:59Z", "2024-07-02T00:00:00Z", "2024-07-01T00:00:00Z")
    flights, index = device_day_flights("live", "phone", times)
    assert [flight.flight_id for flight in flights] == ["phone:2024-07-01", "phone:2024-07-02"]
    assert {flight.device_id for flight in flights} == {"phone"}
    assert index.tolist() == [0, 1, 0]
    assert index.dtype == np.int32


def test_a_device_flies_by_the_day_of_its_zone() -> None:
    # Kathmandu is 5 h 45 min ahead: its midnight is 18:15 UTC
    times = _times("2024-07-01T18:14:59Z", "2024-07-01T18:15:00Z", "2024-07-02T18:14:59Z")
    flights, index = device_day_flights("live", "phone", times, ZoneInfo("Asia/Kathmandu"))
    assert [flight.flight_id for flight in flights] == ["phone:2024-07-01", "phone:2024-07-02"]
    assert index.tolist() == [0, 1, 1]


def test_days_follow_summer_time() -> None:
    times = _times("2024-03-30T22:59:59Z", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59Z", "2024-03-31T22:00:00Z")
    flights, index = device_day_flights("live", "phone", times, ZoneInfo("Europe/Zurich"))
    assert [flight.flight_id for flight in flights] == ["phone:2024-03-30", "phone:2024-03-31", "phone:2024-04-01"]
    assert index.tolist() == [0, 1, 1, 2]


def test_no_times_are_no_flights() -> None:
    flights, index = device_day_flights("live", "phone", np.empty(0, np.int64), UTC)
    assert flights == ()
    assert len(index) == 0
