"""The HTTP interface as a client knows it, and a ledger of what it was told is safe."""

import uuid
from collections import Counter
from typing import Any

from tests.support.http import Answer, Client
from tests.support.points import Point

LIVE = "/tracking/live"
UPLOAD = "/tracking/upload"
SCORING = "/scoring/batch"
FLYMASTER = "/tracking/flymaster/upload/file"

KINDS = {LIVE: "live", UPLOAD: "upload", SCORING: "scoring", FLYMASTER: "flymaster"}

MOST_LISTED = 100
"""Rejected points in one answer."""

_ACCEPTED_FIELDS = {"success", "queued", "via", "flight_id", "flight_uuid", "points", "rejected"}

Ledger = Counter[tuple[str, uuid.UUID]]
"""Points of each kind and flight that must be in the tables in the end, no two of them equal."""


class Api:
    """A connection, and a flight of its own for each test."""

    def __init__(self, client: Client, ledger: Ledger, flight: str) -> None:
        self.client = client
        self.flight = flight
        self._ledger = ledger

    def send(self, track_points: Any, path: str = LIVE) -> Answer:
        """Send points of this test's flight."""
        return self.client.post(path, {"flight_id": self.flight, "device_id": "d1", "track_points": track_points})

    def send_as_it_is(self, path: str, body: bytes, **headers: str) -> Answer:
        """Send a body that may be anything."""
        return self.client.request("POST", path, body, **{"Content_Type": "application/json", **headers})

    def accepted(self, answer: Answer, count: int, *, rejected: int = 0, fresh: int | None = None) -> Any:
        """Check a 202, and put down its points; `fresh` of them, where some were sent before."""
        assert answer.status == 202, answer
        assert answer.media_type == "application/json"
        found = answer.json
        assert set(found) >= _ACCEPTED_FIELDS
        assert (found["success"], found["queued"], found["via"]) == (True, True, "queue")
        assert found["points"] == count
        assert found.get("rejected_count", 0) == rejected
        assert len(found["rejected"]) == min(rejected, MOST_LISTED)
        self.kept(KINDS[answer.path], uuid.UUID(found["flight_uuid"]), count if fresh is None else fresh)
        return found

    def kept(self, kind: str, flight: uuid.UUID, count: int) -> None:
        """Put down points that must be in the table in the end."""
        self._ledger[kind, flight] += count


def problem(answer: Answer, status: int) -> Any:
    """Check an error (RFC 9457); what it says."""
    assert answer.status == status, answer
    assert answer.media_type == "application/problem+json"
    found = answer.json
    assert found["status"] == status
    assert isinstance(found["title"], str)
    assert isinstance(found.get("type", "about:blank"), str)
    return found


def unread(answer: Answer, status: int) -> None:
    """Check that a body was refused before any point of it was looked at."""
    found = problem(answer, status)
    assert (found["rejected"], found["rejected_count"]) == ([], 0)


def rejected(answer: Answer, *fields: str) -> list[str]:
    """Check that no point was accepted, the first for the first of the fields, and so on; the reasons."""
    found = problem(answer, 422)
    assert found["rejected_count"] == len(fields)
    assert [(entry["index"], entry["field"]) for entry in found["rejected"]] == list(enumerate(fields)), found
    assert all(set(entry) == {"index", "field", "reason"} and entry["reason"] for entry in found["rejected"]), found
    return [entry["reason"] for entry in found["rejected"]]


def without(point: Point, *fields: str) -> Point:
    """Leave fields out."""
    return {name: value for name, value in point.items() if name not in fields}
