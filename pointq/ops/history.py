"""What the last looks saw of each lane, kept while somebody watches: for the trend, and for the curves of the screen."""

from collections.abc import Sequence
from itertools import takewhile

from pointq.ops.status import QueueStatus
from pointq.ops.trend import Sample, Trend, trend

_MOST_LOOKS = 1020
_FORGOTTEN_AT_ONCE = 420
"""Ten minutes remain, at one look a second. It divides by 1 to 7, so that looks which a curve draws together stay together."""


class History:
    """The looks at the lane of one kind."""

    def __init__(self) -> None:
        self._looks: list[Sample | None] = []
        self._trend: Trend | None = None

    @property
    def looks(self) -> Sequence[Sample | None]:
        """Oldest first; None where Redis did not answer."""
        return self._looks

    def add(self, at: float, queue: QueueStatus) -> Trend | None:
        """One more look, at `at` seconds of a clock that does not jump; the trend since."""
        self._looks.append(_sample(at, queue))
        if len(self._looks) > _MOST_LOOKS:
            del self._looks[:_FORGOTTEN_AT_ONCE]
        self._trend = trend(_unbroken(self._looks), self._trend)
        return self._trend


def _sample(at: float, queue: QueueStatus) -> Sample | None:
    if queue.total_pending is None:
        return None
    return Sample(
        at,
        queue.total_pending,
        queue.oldest_age_seconds,
        queue.in_points_per_second or 0.0,
        queue.out_points_per_second or 0.0,
    )


def _unbroken(looks: Sequence[Sample | None]) -> Sequence[Sample]:
    """The looks since Redis last failed to answer."""
    return [look for look in takewhile(lambda look: look is not None, reversed(looks)) if look][::-1]
