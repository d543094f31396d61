"""Many requests to one batch. Pure: what arrived together is validated together, in columns."""

from collections.abc import Sequence
from datetime import tzinfo
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pointq.ingest.submission import Merged, Submission, Verdict
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight, device_day_flights
from pointq.points.kinds import Kind
from pointq.points.validation import Reject, validate


def merge(kind: Kind, submissions: Sequence[Submission], *, now_us: int, zone: tzinfo) -> Merged:
    """Validate the points of requests of one kind and put the good ones into one batch.

    Each verdict counts the points of its own request, and its rejects have the indices of that request.
    """
    validated = validate(kind, list(chain.from_iterable(s.points for s in submissions)), now_us=now_us)
    ends = np.cumsum([len(submission.points) for submission in submissions])
    # rows ascend, so those of one request are one slice
    cuts = np.searchsorted(validated.rows, np.concatenate(([0], ends)))
    good = np.diff(cuts).tolist()
    flights = _Flights()
    newest = [s.flight if count else None for s, count in zip(submissions, good, strict=True)]
    flight = np.repeat(np.array([flights.place(f) if f else 0 for f in newest], np.int32), good)
    for i, submission in enumerate(submissions):
        if submission.flight is None and good[i]:
            rows = slice(cuts[i], cuts[i + 1])
            days, day = device_day_flights(kind.name, submission.device_id, validated.columns["time"][rows], zone)
            flight[rows] = np.array([flights.place(f) for f in days], np.int32)[day]
            newest[i] = days[day[-1]]
    rejects = _by_request(validated.rejects, ends)
    verdicts = [Verdict(*parts) for parts in zip(good, rejects, newest, strict=True)]
    return Merged(PointBatch(kind, flights.table, flight, validated.columns), verdicts, len(validated.rejects))


class _Flights:
    """The flights of a batch, each once."""

    def __init__(self) -> None:
        self._flights: dict[int, Flight] = {}
        self._places: dict[int, int] = {}

    def place(self, flight: Flight) -> int:
        """The place of that flight in the table."""
        # by the number: a UUID's own hash is computed in Python, at every look
        number = flight.uuid.int
        if (place := self._places.get(number)) is None:
            place = self._places[number] = len(self._flights)
            self._flights[number] = flight
        return place

    @property
    def table(self) -> tuple[Flight, ...]:
        """The flights in the order of their places."""
        return tuple(self._flights.values())


def _by_request(rejects: Sequence[Reject], ends: NDArray[np.int64]) -> list[Sequence[Reject]]:
    """The rejects of each request, numbered from its own first point."""
    if not rejects:
        return [()] * len(ends)
    lists: list[list[Reject]] = [[] for _ in ends]
    requests = np.searchsorted(ends, [reject.index for reject in rejects], side="right")
    for reject, request in zip(rejects, requests.tolist(), strict=True):
        start = int(ends[request - 1]) if request else 0
        lists[request].append(Reject(reject.index - start, reject.field, reject.reason))
    return [tuple(of_one) for of_one in lists]
