"""A log for what strangers cause: each kind of line at most once in a while, with how many there were in between."""

import logging
import time
from collections.abc import Callable

_EVERY_SECONDS = 1.0


class Pace:
    """Says of each kind of line whether it is time for one: the first, and then one every so many seconds."""

    def __init__(self, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def due(self, kind: str) -> int | None:
        """How many there were since the last line, with this one; None: it is too soon for a line."""
        now = self._clock()
        at, unsaid = self._said.get(kind, (None, 0))
        if at is not None and now - at < self._every:
            self._said[kind] = at, unsaid + 1
            return None
        self._said[kind] = now, 0
        return unsaid + 1


class Seldom:
    """Writes warnings and errors; what is said too soon after another of its kind is counted, and the next one says so."""

    def __init__(
        self, log: logging.Logger, *, every: float = _EVERY_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._pace = Pace(every, clock)

    def warning(self, message: str, *arguments: object) -> None:
        """Say it; the message itself, without its arguments, is its kind."""
        self._say(logging.WARNING, message, arguments, None)

    def defect(self, exc: BaseException, message: str, *arguments: object) -> None:
        """Say it as an error, with the traceback."""
        self._say(logging.ERROR, message, arguments, exc)

    def _say(self, level: int, message: str, arguments: tuple[object, ...], exc: BaseException | None) -> None:
        count = self._pace.due(message)
        if count is None:
            return
        if count > 1:
            message = f"{message} (and {count - 1} more like it were not written)"
        self._log.log(level, message, *arguments, exc_info=exc)


defects = Seldom(logging.getLogger("pointq.ingest"), every=10.0)
"""Whoever finds a defect may meet it again and again: a traceback every 10 s tells enough."""
