"""Which lane to read next. Pure: it is told what was taken and says where to look."""

from collections.abc import Sequence

from pointq.queue.lanes import Lane

WEIGHTS = {1: 8.0, 2: 3.0, 3: 1.0}
"""Shares of the capacity by priority, when all lanes have work: the live lane gets most, none starves."""

_LEAST_CHARGE = 0.05
"""A read of few points is charged at least so much of a full one, since it costs a transaction all the same."""


class Schedule:
    """Stride scheduling over lanes: the lane that had the least for its weight is looked at first.

    `strict` looks at the priorities in order instead: 2 only when 1 is empty, 3 only when 2 is.
    """

    def __init__(self, lanes: Sequence[Lane], *, full: int, strict: bool = False) -> None:
        self._lanes = sorted(lanes, key=lambda lane: lane.priority)
        self._had = dict.fromkeys(self._lanes, 0.0)
        self._now = 0.0
        """What a lane had that was always served: the lane last taken from, before it was."""
        self._full = full
        self._strict = strict

    def order(self) -> list[Lane]:
        """The lanes in the order in which to look at them now."""
        if self._strict:
            return list(self._lanes)
        # the sort is stable: of equals, the higher priority comes first
        return sorted(self._lanes, key=self._had.__getitem__)

    def took(self, lane: Lane, points: int) -> None:
        """So many points were taken from that lane."""
        self._now = max(self._now, self._had[lane])
        self._had[lane] += max(points / self._full, _LEAST_CHARGE) / WEIGHTS.get(lane.priority, 1.0)

    def empty(self, lane: Lane) -> None:
        """The lane had nothing to take; it does not save up for later what it cannot use now."""
        self._had[lane] = max(self._had[lane], self._now)
