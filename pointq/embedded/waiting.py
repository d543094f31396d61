"""Waiting for a condition with a bound."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.005
"""How often a condition is looked at: all of them are a system call or two."""


def wait_until(
    condition: Callable[[], object],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether `condition` came true within `seconds`; it is looked at once even if that is 0."""
    deadline = clock() + seconds
    while not condition():
        if clock() >= deadline:
            return False
        sleep(POLL_SECONDS)
    return True
