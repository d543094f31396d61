"""Telling what all processes of a board counted, whichever of them is asked."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version

from pointq.aio import Rounds
from pointq.metrics import families
from pointq.metrics.board import SILENT_SECONDS, Seat, Sheet, Told, Writer, read
from pointq.metrics.figures import Figure, Gauge, Series
from pointq.metrics.together import counters, together

log = logging.getLogger("pointq.metrics")

_SECONDS = 1.0


class Teller:
    """Puts a process's figures on the board once a second, and when it is asked. `start` and `stop` may be called twice."""

    def __init__(self, seat: Seat, figures: Sequence[Figure]) -> None:
        self._seat = seat
        self._figures = (*figures, Gauge(families.BUILD, lambda: 1, version("pointq")))
        self._writer = Writer(seat)
        # of the process that sat here before and died: its points were counted by nobody else
        self._before = counters(read(seat, seat.place).told)
        self._refused = False
        self._rounds = Rounds("metrics", self._once)

    def start(self) -> None:
        """Begin to tell."""
        self._rounds.start()

    async def stop(self) -> None:
        """Tell the last of it; the gauges are gone with the process."""
        await self._rounds.stop()
        self._put(counters(self._own()))

    def tell(self) -> Told:
        """What all processes counted, up to now in this one and up to a second ago in the others.

        All of it is read from the board: two processes that are asked in turn never tell a counter that goes down.
        """
        self._put(self._own())
        return told(self._seat)

    async def _once(self) -> float:
        self._put(self._own())
        return _SECONDS

    def _put(self, told: Told) -> None:
        """Write it down; where the system refuses, no point shall suffer for it."""
        try:
            self._writer.write(told)
        except OSError as exc:
            if not self._refused:
                log.warning("metrics stay as they are, since they cannot be written: %s", exc)
            self._refused = True
        else:
            self._refused = False

    def _own(self) -> Told:
        now: defaultdict[str, list[Series]] = defaultdict(list)
        for figure in self._figures:
            now[figure.family.name] += figure.series()
        return together([self._before, now])


def told(seat: Seat) -> Told:
    """What the processes of that board counted."""
    return together([_believed(read(seat, place)) for place in range(seat.places)])


def _believed(sheet: Sheet) -> Told:
    return counters(sheet.told) if sheet.age > SILENT_SECONDS else sheet.told
