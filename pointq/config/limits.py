"""Limits of `pointq check` as they are written: ``30:120`` is a warning above 30, critical above 120."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

OFF = "off"
PRIORITIES = (1, 2, 3)

_EXPECTED = (
    "expected WARNING:CRITICAL such as 30:120, either of them left out where it does not count (:120), or off; "
    "for one priority alone 1=30:120, several with commas between"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """None: no such limit."""

    warning: float | None = None
    critical: float | None = None


def limit(text: str) -> Limit:
    """Read one, for everything. Raises ValueError."""
    if text.strip().lower() == OFF:
        return Limit()
    parts = text.split(":")
    if len(parts) > 2 or not any(part.strip() for part in parts):  # noqa: PLR2004 - a warning and a critical one
        raise ValueError(_EXPECTED)
    return Limit(*(_number(part.strip()) for part in parts))


def limits(text: str) -> Mapping[int, Limit]:
    """Read those of each priority; one without a priority is for all that are not named. Raises ValueError."""
    found: dict[int, Limit] = {}
    rest = Limit()
    for part in text.split(","):
        priority, equals, value = part.rpartition("=")
        if not equals:
            rest = limit(value)
        else:
            found[_priority(priority.strip())] = limit(value)
    return {priority: found.get(priority, rest) for priority in PRIORITIES}


def checked_limit(text: str) -> str:
    """The same text, where it can be read. Raises ValueError."""
    limit(text)
    return text


def checked_limits(text: str) -> str:
    """The same text, where it can be read. Raises ValueError."""
    limits(text)
    return text


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise ValueError(_EXPECTED) from None
    if not math.isfinite(number) or number < 0:
        raise ValueError(_EXPECTED)
    return number


def _priority(text: str) -> int:
    if text not in {str(priority) for priority in PRIORITIES}:
        raise ValueError(_EXPECTED)
    return int(text)
