"""Spans of time as settings say them: ``7 days``."""

import re
from datetime import timedelta

_SPAN = re.compile(r"(\d{1,6}) (minute|hour|day|week)s?")


def span(text: str) -> timedelta:
    """How long that is. Raises ValueError where it is no such text, or nothing."""
    found = _SPAN.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError('expected a span of time in minutes, hours, days or weeks, such as "7 days"')
    return timedelta(**{f"{found[2]}s": int(found[1])})
