"""What the limits refused: counted, and said in the log, at most once in a while each."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

log = logging.getLogger("pointq.ingest")

_EVERY_SECONDS = 10.0
"""Between two lines of one limit: whoever runs into it must not fill the log."""


class Tally:
    """Counts since the start of this process, by the name of the limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._told: dict[str, tuple[float, int]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each limit was met."""
        return self._counts

    def met(self, limit: str, whose: str) -> None:
        """Once more; `whose` is an address or the name of a token."""
        self._counts[limit] += 1
        now, count = self._clock(), self._counts[limit]
        said, before = self._told.get(limit, (None, 0))
        if said is not None and now - said < _EVERY_SECONDS:
            return
        self._told[limit] = now, count
        log.warning("limits.%s was met %d times more, %d in all, the last by %s", limit, count - before, count, whose)
