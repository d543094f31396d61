"""Moments as pointq writes them."""

import time
from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Unix seconds as a time in UTC, to the millisecond: ``2026-06-21T12:00:00.000Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The present."""
    return rfc3339(time.time())
