"""Points a second over the last seconds."""

from collections import deque


class Rate:
    """Counts over a window of time."""

    def __init__(self, window: float = 10.0) -> None:
        self._window = window
        self._events: deque[tuple[float, int]] = deque()

    def add(self, now: float, points: int) -> None:
        """So many points at that time, in seconds of any one clock."""
        self._events.append((now, points))
        self._forget(now)

    def per_second(self, now: float) -> float:
        """The mean over the window that ends now."""
        self._forget(now)
        return sum(points for _, points in self._events) / self._window

    def _forget(self, now: float) -> None:
        while self._events and self._events[0][0] <= now - self._window:
            self._events.popleft()
