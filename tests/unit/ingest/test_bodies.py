"""What is wrong with a body is said with the right status and in words."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from pointq.ingest.bodies import submission
from pointq.ingest.problems import Problem
from pointq.points.kinds import LIVE, SCORING, UPLOAD, Kind

POINT: dict[str, Any] = {"lat": 45.0, "lon": 6.0, "datetime": "2026-06-21T11:59:00Z"}


def problem(kind: Kind, body: object, most: int = 1000) -> Problem:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(Problem) as caught:
        submission(kind, data, most)
    return caught.value


@pytest.mark.parametrize("body", [b"", b"{", b'{"flight_id": NaN}', b"\xff\xfe", b'{"a": 1}x'])
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    found = problem(UPLOAD, body)

    assert found.status == 400
    assert "not JSON" in found.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be an object, found a list"),
        ("text", "must be an object, found a text"),
        ({"flight_id": "a"}, "track_points must be a list of points, found nothing"),
        ({"flight_id": "a", "track_points": {}}, "track_points must be a list of points, found an object"),
        ({"flight_id": "a", "track_points": []}, "track_points is empty"),
        ({"track_points": [POINT]}, "flight_id is missing"),
        ({"flight_id": 7, "track_points": [POINT]}, "flight_id must be a text of 1 to 255 bytes without NUL, found a number"),
        ({"flight_id": "", "track_points": [POINT]}, "flight_id must be a text"),
        ({"flight_id": "a\0b", "track_points": [POINT]}, "flight_id must be a text"),
        ({"flight_id": "é" * 128, "track_points": [POINT]}, "flight_id must be a text"),
        ({"flight_id": "a", "device_id": True, "track_points": [POINT]}, "device_id must be a text"),
    ],
)
def test_a_wrong_shape_is_named(body: object, words: str) -> None:
    found = problem(UPLOAD, body)

    assert found.status == 422
    assert words in found.detail


def test_too_many_points_are_too_large() -> None:
    found = problem(UPLOAD, {"flight_id": "a", "track_points": [POINT] * 3}, most=2)

    assert found.status == 413
    assert "3 points; one request may have 2" in found.detail


def test_live_points_may_name_a_device_alone() -> None:
    found = submission(LIVE, orjson.dumps({"device_id": "d", "track_points": [POINT]}), 10)

    assert (found.flight, found.device_id) == (None, "d")


def test_upload_needs_a_flight() -> None:
    assert problem(UPLOAD, {"device_id": "d", "track_points": [POINT]}).detail == "flight_id is missing"


def test_scoring_takes_a_uuid_as_it_is() -> None:
    flight_uuid = "00000000-0000-4000-8000-00000000abcd"
    found = submission(SCORING, orjson.dumps({"flight_uuid": flight_uuid, "tracks": [POINT]}), 10)

    assert found.flight is not None
    assert (found.flight.uuid, found.flight.flight_id) == (UUID(flight_uuid), None)


@pytest.mark.parametrize("value", ["", "nonsense", 7, [], {}])
def test_scoring_refuses_what_is_no_uuid(value: object) -> None:
    assert "flight_uuid must be a UUID" in problem(SCORING, {"flight_uuid": value, "tracks": [POINT]}).detail


def test_scoring_needs_one_of_both() -> None:
    assert problem(SCORING, {"tracks": [POINT]}).detail == "flight_uuid (or flight_id) is missing"
