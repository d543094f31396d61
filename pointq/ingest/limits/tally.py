"""What the limits refused: counted, and said in the log, at most once in a while each."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

from pointq.ingest.seldom import Pace

log = logging.getLogger("pointq.ingest")


class Tally:
    """Counts since the start of this process, by the name of the limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(clock=clock)
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each limit was met."""
        return self._counts

    def met(self, limit: str, whose: str) -> None:
        """Once more; `whose` is an address or the name of a token."""
        self._counts[limit] += 1
        if (more := self._pace.due(limit)) is not None:
            total = self._counts[limit]
            log.warning("limits.%s was met %d times more, %d in all, the last by %s", limit, more, total, whose)
