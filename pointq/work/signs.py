"""Whether a worker really works, for whoever watches over it."""

import time
from collections.abc import Awaitable, Callable

from pointq.work.worker import Figures, Worker


def look_at(
    worker: Worker, *, longest_seconds: float, clock: Callable[[], float] = time.monotonic
) -> Callable[[], Awaitable[str | None]]:
    """A look at a worker: in words what it does, None where nothing of it has moved for longer than an idle one waits."""
    moved = clock()

    async def look() -> str | None:
        nonlocal moved
        if worker.moves():
            moved = clock()
        # it pauses so long where it has nothing to do
        return shown(worker.figures()) if clock() - moved <= longest_seconds + 1 else None

    return look


def shown(figures: Figures) -> str:
    """What `systemctl status` shows of a worker."""
    done = f"{figures.stored} points stored, {figures.points_per_second:.0f} a second"
    return f"{figures.state}: {figures.trouble}; {done}" if figures.trouble else f"{figures.state}: {done}"
