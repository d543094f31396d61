"""What the contract says about points: names of tables and columns, flight ids, and points to send."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Point = dict[str, Any]

NAMESPACE = uuid.UUID("8d0a2f0e-6c1b-5b7e-9a55-3f2d1c7e4b10")

TABLES = {
    "live": "live_track_points",
    "upload": "uploaded_track_points",
    "scoring": "scoring_track_points",
    "flymaster": "flymaster_track_points",
}

KEY_COLUMNS = ("flight_uuid", "time", "lat", "lon")

_TRACKING = ("elevation", "barometric_altitude", "speed", "heading", "accuracy", "valid")
OWN_COLUMNS = {
    "live": _TRACKING,
    "upload": _TRACKING,
    "flymaster": ("elevation", "speed", "heading", "uploaded_at"),
    "scoring": (
        "gps_alt",
        "pressure_alt",
        "time_text",
        "rounded_time",
        "validity",
        "lad",
        "lod",
        "speed",
        "elevation",
        "altitude_diff",
        "altitude_diff_smooth",
        "speed_smooth",
        "takeoff_condition",
        "in_flight",
    ),
}

START = datetime(2025, 6, 1, 10, 0, 0, tzinfo=UTC)

SCORED: Point = {"date_time": "2025-06-01T10:00:00Z", "lat": 45.5, "lon": 6.5, "gps_alt": 1500}

FLYMASTER_SECRET = "pointq-test-secret"
FLYMASTER_VECTOR = ("12345", "f1f51cd0d640e70fe05434ed522863b5e265cfd6f1a5107179b447a660588ea7")
"""Serial number and key, as the description of the format gives them for that secret."""


def flight_uuid(kind: str, flight_id: str) -> uuid.UUID:
    """Identify a flight as the contract says."""
    return uuid.uuid5(NAMESPACE, f"{kind}:{flight_id}")


def text(moment: datetime) -> str:
    """Write a time in ISO 8601, as clients do."""
    return moment.isoformat().replace("+00:00", "Z")


def point(**changes: Any) -> Point:
    """Make a good point for live or upload."""
    return {"lat": 45.1234567, "lon": 6.7654321, "datetime": text(START), **changes}


def track(count: int, *, start: datetime = START, step: timedelta = timedelta(seconds=1), **own: Any) -> list[Point]:
    """Make the points of a flight: no two at one place or time."""
    return [
        point(lat=round(45.0 + i * 1e-4, 7), lon=round(6.0 + i * 1e-4, 7), datetime=text(start + i * step), **own)
        for i in range(count)
    ]


def flymaster_row(i: int, *, altitude: int = 1500, speed: str = "36", heading: int = 180) -> str:
    """Write a row of a Flymaster upload: the i-th second of the flight."""
    fixed = int(START.timestamp()) + i
    return f"{fixed + 5},{fixed},{45.0 + i / 1e4:.5f},{6.0 + i / 1e4:.5f},{altitude + i},{speed},{heading}"


def flymaster_key(serial: str) -> str:
    """Sign an upload of that device."""
    return hashlib.sha256(f"{int(serial)}{FLYMASTER_SECRET}".encode()).hexdigest()


def flymaster_text(
    serial: str, rows: Iterable[str], *, key: str | None = None, end: str = "EOF\n", newline: str = "\n"
) -> bytes:
    """Write a whole upload."""
    head = f"{serial},{flymaster_key(serial) if key is None else key}"
    return newline.join([head, *rows, end]).encode()


def multipart(body: bytes, *, field: str = "file") -> tuple[bytes, str]:
    """Wrap a file in a form; the form and its content type."""
    head = f'--frontier\r\nContent-Disposition: form-data; name="{field}"; filename="track.txt"\r\n'
    form = head.encode() + b"Content-Type: text/plain\r\n\r\n" + body + b"\r\n--frontier--\r\n"
    return form, "multipart/form-data; boundary=frontier"


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    """Cut a body into chunks, to send without announcing its length."""
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]
