"""How long something takes, on a machine that may stand still meanwhile."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_TRIES = 5


def quick(run: Callable[[], T], *, within: float) -> T:
    """Run it until it takes no more than so many seconds, and return what that returned; fail where it never does.

    What a program waits for it waits for each time; what else the machine does is added to some of them.
    """
    tries = []
    for _ in range(_TRIES):
        began = time.monotonic()
        found = run()
        tries.append(time.monotonic() - began)
        if tries[-1] <= within:
            return found
    raise AssertionError(f"never within {within:.2f} s: {', '.join(f'{took:.2f}' for took in tries)} s")


def seconds(run: Callable[[], object]) -> float:
    """The seconds of one run: what another is to be measured against, with the machine as it is now."""
    began = time.monotonic()
    run()
    return time.monotonic() - began
