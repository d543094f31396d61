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
    seconds = []
    for _ in range(_TRIES):
        began = time.monotonic()
        found = run()
        seconds.append(time.monotonic() - began)
        if seconds[-1] <= within:
            return found
    raise AssertionError(f"never within {within:g} s: {', '.join(f'{took:.2f}' for took in seconds)} s")
