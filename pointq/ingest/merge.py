"""Many requests to one batch. Pure: what arrived together is validated together, in columns."""

from collections.abc import Sequence
from datetime import tzinfo
from itertools import accumulate, chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from pointq.ingest.submission import Merged, Submission, Verdict
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight, device_day_flights
from pointq.points.kinds import Kind
from pointq.points.rejects import Reject, Rejects
from pointq.points.validation import validate

_Placed = tuple[tuple[Flight, ...], NDArray[np.int32]]
"""A table of flights, and for each point the place of its flight in it."""


def merge(kind: Kind, submissions: Sequence[Submission], *, now_us: int, zone: tzinfo) -> Merged:
    """Validate the points of requests of one kind and put the good ones into one batch.

    Each verdict counts the points of its own request, and its rejects have the indices of that request.
    """
    validated = validate(kind, list(chain.from_iterable([s.points for s in submissions])), now_us=now_us)
    sizes = [len(submission.points) for submission in submissions]
    good = sizes if not validated.rejects else _good(validated.rows, sizes)
    newest = [s.flight if count else None for s, count in zip(submissions, good, strict=True)]
    if not all(map(attrgetter("flight"), submissions)):
        table, flight = _with_days(kind, submissions, good, validated.columns["time"], zone, newest)
    else:
        table, flight = _of_flights(newest, good)
    rejects = _by_request(validated.rejects, sizes)
    verdicts = list(map(Verdict, good, rejects, newest))
    return Merged(PointBatch(kind, table, flight, validated.columns), verdicts, len(validated.rejects))


def _good(rows: NDArray[np.int64], sizes: Sequence[int]) -> list[int]:
    """How many good points each request has; their rows ascend, so those of one request are one slice."""
    found: list[int] = np.diff(np.searchsorted(rows, np.cumsum([0, *sizes]))).tolist()
    return found


def _of_flights(newest: Sequence[Flight | None], good: Sequence[int]) -> _Placed:
    """The flights of requests that name theirs, and the place of each good point's."""
    each = {flight.uuid.int: flight for flight in newest if flight}
    if len(each) == len(newest) and max(good) == 1:
        # one point each of as many flights: what a group of live posts is
        return tuple(each.values()), np.arange(len(newest), dtype=np.int32)
    flights = _Flights()
    places = np.array([flights.place(flight) if flight else 0 for flight in newest], np.int32)
    return flights.table, np.repeat(places, good)


def _with_days(
    kind: Kind,
    submissions: Sequence[Submission],
    good: Sequence[int],
    times: NDArray[np.int64],
    zone: tzinfo,
    newest: list[Flight | None],
) -> _Placed:
    """The same where some requests name a device alone, whose days are flights; their newest one is filled in."""
    flights = _Flights()
    places: list[NDArray[np.int32]] = []
    end = 0
    for i, (submission, count) in enumerate(zip(submissions, good, strict=True)):
        start, end = end, end + count
        if not count:
            continue
        if submission.flight is not None:
            places.append(np.full(count, flights.place(submission.flight), np.int32))
            continue
        days, day = device_day_flights(kind.name, submission.device_id, times[start:end], zone)
        places.append(np.array([flights.place(flight) for flight in days], np.int32)[day])
        newest[i] = days[int(day[-1])]
    return flights.table, np.concatenate(places) if places else np.empty(0, np.int32)


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


def _by_request(rejects: Rejects, sizes: Sequence[int]) -> Sequence[Sequence[Reject]]:
    """The rejects of each request, numbered from its own first point."""
    if not rejects:
        return [()] * len(sizes)
    return [rejects.within(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
