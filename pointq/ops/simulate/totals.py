"""What became of the points so far."""

from collections import Counter
from dataclasses import dataclass, field

from pointq.ops.simulate.latencies import Latencies


@dataclass(slots=True)
class Totals:
    """Counters of one simulation; points, unless they say otherwise. sent = accepted + rejected + refused."""

    sent: int = 0
    """Each once, however often it went over the wire."""
    accepted: int = 0
    rejected: int = 0
    """Listed as rejected in an answer."""
    rejected_as_meant: int = 0
    """Those of them that were wrong on purpose."""
    refused: int = 0
    """In requests that were refused as a whole."""
    given_up: int = 0
    """In requests that were never settled: no answer, or none but "later"."""
    duplicates_sent: int = 0
    """Sent once more, on purpose or because no answer came."""
    requests: int = 0
    retries: int = 0
    unanswered: int = 0
    """Requests to which no answer came."""
    statuses: Counter[int] = field(default_factory=Counter)
    """Answers by HTTP status."""
    latencies: Latencies = field(default_factory=Latencies)


@dataclass(slots=True)
class Ranges:
    """Numbers of points, as ranges: those of a flight that went well are one."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    """From, and up to but not including."""

    def add(self, first: int, stop: int) -> None:
        """Add a range behind the others."""
        if self.spans and self.spans[-1][1] == first:
            self.spans[-1] = (self.spans[-1][0], stop)
        else:
            self.spans.append((first, stop))
