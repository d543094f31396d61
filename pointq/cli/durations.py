"""Durations as people type them."""

import re

from pointq.errors import UsageError

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>[a-z]*)")


def parse_duration(text: str) -> float:
    """``90``, ``90s``, ``15m``, ``15min``, ``2h``, ``7d`` or ``1w`` in seconds. Raises UsageError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or match["unit"] not in _SECONDS:
        raise UsageError(f"{text!r} is no duration", hint="write 90s, 15m, 2h or 7d")
    return float(match["number"]) * _SECONDS[match["unit"]]
