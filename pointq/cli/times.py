"""Moments as people type them."""

import datetime as dt
import re

from pointq.errors import UsageError

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|sec|m|min|h|d|w)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def moment(text: str, now: dt.datetime) -> dt.datetime:
    """``30min``, ``2h``, ``3d`` before `now`, or an ISO 8601 date or time, in UTC where it has no offset.

    Raises UsageError.
    """
    try:
        if (ago := _span(text)) is not None:
            return now - dt.timedelta(seconds=ago)
        found = dt.datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as exc:
        raise UsageError(
            f"{text!r} is no time", hint="give an age such as 30min, 2h or 3d, or a time such as 2026-06-21T12:00Z"
        ) from exc
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


def seconds(text: str) -> float:
    """``90``, ``90s``, ``10min`` or ``2h`` in seconds. Raises UsageError."""
    span = _span(text) if not text.strip().isdecimal() else float(text)
    if span is None:
        raise UsageError(f"{text!r} is no length of time", hint="give seconds, or a length such as 10min or 2h")
    return span


def _span(text: str) -> float | None:
    found = _SPAN.fullmatch(text.strip())
    return float(found[1]) * _SECONDS[found[2]] if found else None
