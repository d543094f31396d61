"""When the machine stood still: seconds that are nobody's fault, and that no bound of a test counts."""

import math
import time
from threading import Event, Thread

_TICK_SECONDS = 0.02


class Standstill:
    """Watches the clock from `start` to `stop`: who asks to be woken and is woken late stood still meanwhile."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []
        self._due = math.inf
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more. May be called twice."""
        self._over.set()
        self._thread.join()

    def between(self, begin: float, end: float) -> float:
        """The seconds of it between two moments of the monotonic clock; the end may be now."""
        late = [*self._late, (self._due, time.monotonic())]
        return sum(max(min(end, woke) - max(begin, due), 0.0) for due, woke in late)

    def _watch(self) -> None:
        while not self._over.is_set():
            self._due = time.monotonic() + _TICK_SECONDS
            self._over.wait(_TICK_SECONDS)
            woke = time.monotonic()
            if woke - self._due > _TICK_SECONDS:
                self._late.append((self._due, woke))
        self._due = math.inf
