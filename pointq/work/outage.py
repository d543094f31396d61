"""Saying an outage once, and once again when it is over."""

import math
import time
from collections.abc import Callable
from logging import Logger

from pointq.aio import Backoff

_SOON_SECONDS = 10.0
"""After the end of one outage, within which another is told only if it outlasts one try."""


class Outage:
    """One thing that may be away, with its backoff; the log gets one line when it goes and one when it is back."""

    def __init__(
        self,
        log: Logger,
        what: str,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
        *,
        meanwhile: str = "nothing is lost",
    ) -> None:
        self._log = log
        self._what = what
        self._meanwhile = meanwhile
        self._clock = clock
        self._since: float | None = None
        self._told = False
        self._ended = -math.inf
        self.trouble: str | None = None
        """What is wrong, while it is away."""
        self.backoff = backoff

    @property
    def active(self) -> bool:
        """Whether it is away now."""
        return self._since is not None

    def begin(self, why: object) -> None:
        """It failed."""
        # an error of connecting says itself what it is about
        text = str(why)
        self.trouble = text if text.startswith(self._what) else f"{self._what}: {text}"
        is_first = self._since is None
        if self._since is None:
            self._since = self._clock()
        # a line that is cut again and again must not flood the log: soon after another, only what lasts is told
        if self._told or (is_first and self._since - self._ended < _SOON_SECONDS):
            return
        self._told = True
        self._log.error("%s; %s, it is tried again until it works", self.trouble, self._meanwhile)

    def end(self) -> None:
        """It worked."""
        self.backoff.reset()
        if self._since is None:
            return
        if self._told:
            self._ended = self._clock()
            self._log.warning("%s: works again after %.1f s", self._what, self._ended - self._since)
        self._since = self.trouble = None
        self._told = False
