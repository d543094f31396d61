"""Saying an outage once, and once again when it is over."""

import time
from collections.abc import Callable
from logging import Logger

from pointq.aio import Backoff


class Outage:
    """One thing that may be away, with its backoff; the log gets one line when it goes and one when it is back."""

    def __init__(self, log: Logger, what: str, backoff: Backoff, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._since: float | None = None
        self.backoff = backoff

    @property
    def active(self) -> bool:
        """Whether it is away now."""
        return self._since is not None

    def begin(self, why: object) -> None:
        """It failed."""
        if self._since is None:
            self._since = self._clock()
            self._log.error("%s: %s; nothing is lost, it is tried again until it works", self._what, why)

    def end(self) -> None:
        """It worked."""
        self.backoff.reset()
        if self._since is not None:
            self._log.warning("%s: works again after %.1f s", self._what, self._clock() - self._since)
            self._since = None
