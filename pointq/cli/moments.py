"""Moments as people type them: a time with an offset, or how long ago."""

import datetime as dt

from pointq.cli.durations import parse_duration
from pointq.errors import UsageError
from pointq.points.iso import NAT, parse_text

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_moment(text: str, now: dt.datetime) -> dt.datetime:
    """``2026-06-21T12:00:00Z``, another offset, or ``26h`` for so long before `now`. Raises UsageError."""
    at = parse_text(text.strip())
    if at != NAT:
        return _EPOCH + dt.timedelta(microseconds=at)
    try:
        return now - dt.timedelta(seconds=parse_duration(text))
    except (UsageError, OverflowError):
        hint = "write 2026-06-21T12:00:00Z, with its offset or Z, or 90m, 26h, 2d for so long ago"
        raise UsageError(f"{text!r} is no time", hint=hint) from None
