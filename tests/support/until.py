"""The one way in which tests wait: for a condition, and never longer than a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""For anything that is waited for; far more than it takes, so that a loaded machine fails nothing."""

_TICK_SECONDS = 0.02


def until(condition: Callable[[], T], what: str, *, within: float = PATIENCE_SECONDS) -> T:
    """Return the first true value of the condition, or fail, naming what did not happen and the last value.

    The bound does not count what a pause of ours took longer than it should: then the whole machine stood still, or nearly so.
    """
    end = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s: {what}; the last value was {value!r}")
        begin = time.monotonic()
        time.sleep(_TICK_SECONDS)
        end += max(time.monotonic() - begin - 2 * _TICK_SECONDS, 0.0)
    return value
