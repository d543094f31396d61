"""From the bytes of a request to a submission, or to the problem with it. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from uuid import UUID

import orjson

from pointq.ingest.doors.devices import bound
from pointq.ingest.problems import Problem
from pointq.ingest.submission import Submission
from pointq.ingest.usual import decode_usual, points_field
from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, SCORING, Kind

ID_BYTES = 255
"""Longest flight or device id, in bytes of UTF-8."""


def submission(kind: Kind, body: bytes, most_points: int, device: str | None = None) -> Submission:
    """The submission in a request's body; `device` is the only one that it may be of, None: any.

    Raises Problem: 400 for bad JSON, 422 for a wrong shape, 413 for too many points, 403 for another device.
    """
    usual = decode_usual(kind, body)
    if usual is None or not 0 < len(usual.points) <= most_points:
        return _unusual(kind, body, most_points, device)
    flight_uuid = usual.flight_uuid if kind is SCORING else None
    return Submission(kind, usual.points, *_whose(kind, usual.flight_id, bound(usual.device_id, device), flight_uuid))


def _unusual(kind: Kind, body: bytes, most_points: int, device: str | None) -> Submission:
    """The same for any body."""
    document = _document(body)
    points = _points(document, points_field(kind), most_points)
    device_id = bound(document.get("device_id"), device)
    ids = (document.get("flight_id"), device_id, document.get("flight_uuid") if kind is SCORING else None)
    try:
        flight, own_days = _whose(kind, *ids)
    except TypeError:  # a list or an object, which no cache can hold
        flight, own_days = _whose.__wrapped__(kind, *ids)
    return Submission(kind, points, flight, own_days)


@lru_cache(maxsize=4096)  # a pilot in flight posts every second
def _whose(kind: Kind, flight_id: object, device_id: object, flight_uuid: object) -> tuple[Flight | None, str]:
    """The flight, or the device whose days are flights."""
    flight_id, device_id = _text("flight_id", flight_id), _text("device_id", device_id)
    if flight_uuid is not None:
        return Flight(_uuid(flight_uuid), flight_id, device_id), ""
    if flight_id is not None:
        return Flight.of(kind.name, flight_id, device_id), ""
    if kind is LIVE and device_id is not None:
        return None, device_id
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{_wanted(kind)} is missing")


def _wanted(kind: Kind) -> str:
    return {"live": "flight_id (or device_id)", "scoring": "flight_uuid (or flight_id)"}.get(kind.name, "flight_id")


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body must be an object, found {_called(document)}")
    return document


def _points(document: Mapping[str, object], name: str, most: int) -> list[object]:
    points = document.get(name)
    if not isinstance(points, list):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must be a list of points, found {_called(points)}")
    if not points:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is empty")
    if len(points) > most:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{name} has {len(points)} points; one request may have {most}: send several"
        )
    return points


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode()) > ID_BYTES:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{name} must be a text of 1 to {ID_BYTES} bytes without NUL, found {_called(value)}",
        )
    return value


def _uuid(value: object) -> UUID:
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError as exc:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"flight_uuid must be a UUID, found {_called(value)}") from exc


_JSON_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}


def _called(value: object) -> str:
    return _JSON_NAMES.get(type(value), "a number")
