"""How a batch becomes durable: in Redis, else in the database directly, else in the spool on this machine's disk."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pointq.errors import BackendError
from pointq.ingest.breaker import Breaker, State
from pointq.metrics.counted import ACCEPTED
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.queue.lanes import Lane
from pointq.queue.sharding import by_shard

log = logging.getLogger("pointq.ingest")

BUDGET_SECONDS = 2.0
"""Longest that a request waits to find a way, by default."""

_SHARE = 0.5
"""Of what is left of the budget, what one way may take before the next is tried; the last may take it all."""


class Via(StrEnum):
    """The ways, as answers name them."""

    QUEUE = "queue"
    DATABASE = "database"
    SPOOL = "spool"


@dataclass(frozen=True, slots=True)
class Parcel:
    """Points for one lane, as a frame and as columns; a frame from the spool that cannot be read has none."""

    lane: Lane
    frame: bytes
    points: int
    batch: PointBatch | None


def parcels_of(batch: PointBatch, lanes: Sequence[Lane]) -> list[Parcel]:
    """The points of a batch by lane; `lanes` are those of its kind, one a shard."""
    if not len(batch):
        return []
    parts = [found for part in batch.parts(frame.MAX_POINTS) for found in by_shard(part, len(lanes))]
    return [Parcel(lanes[shard], frame.encode(part), len(part), part) for shard, part in parts]


class Way(Protocol):
    """Something that makes points durable."""

    @property
    def via(self) -> Via:
        """Its name."""

    async def take(self, parcels: Sequence[Parcel], rejected: int) -> None:
        """The points are durable when it returns. Raises BackendError where they may not be."""


@dataclass(frozen=True, slots=True)
class Route:
    """A way, and the breaker that says when it is not worth a try."""

    way: Way
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class Going:
    """Which way points are going, since when (Unix seconds), and why not by the queue."""

    via: Via
    since: float
    is_open: bool
    """Whether any way is worth a try."""
    reason: str | None


class Unavailable(BackendError):
    """No way is open."""


class Declined(BackendError):
    """A way that works does not take these points: no reason to close it."""


class Intake:
    """Tries the ways in order, within a budget of time."""

    def __init__(
        self, routes: Sequence[Route], *, budget: float = BUDGET_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._routes = routes
        self._budget = budget
        self._clock = clock

    @property
    def going(self) -> Going:
        """Which way points are going now: the first whose breaker is closed, or the last."""
        place, is_open = next(
            ((i, True) for i, route in enumerate(self._routes) if route.breaker.state is State.CLOSED),
            (len(self._routes) - 1, False),
        )
        # since the last of those before it closed, or it opened itself
        since = max(route.breaker.since for route in self._routes[: place + 1])
        reason = self._routes[0].breaker.reason if is_open else self._reasons()
        return Going(self._routes[place].way.via, since, is_open, reason)

    async def accept(self, parcels: Sequence[Parcel], rejected: int = 0) -> Via:
        """Make the points durable; which way they went. Raises Unavailable where none took them."""
        end = self._clock() + self._budget
        failures: list[str] = []
        for place, route in enumerate(self._routes):
            left = max(end - self._clock(), 0.05)
            last = place == len(self._routes) - 1
            failure = await self._try(route, parcels, rejected, left if last else left * _SHARE)
            if failure is None:
                for parcel in parcels:
                    ACCEPTED.add(parcel.points, parcel.lane.kind.name, route.way.via.value)
                return route.way.via
            failures.append(f"{route.way.via}: {failure}")
        raise Unavailable("; ".join(failures), hint="`pointq status` says what is wrong")

    async def requeue(self, parcels: Sequence[Parcel]) -> bool:
        """Give points that were spooled to the first way, the queue; False where it is not open."""
        return await self._try(self._routes[0], parcels, 0, self._budget) is None

    async def probe(self) -> None:
        """See whether the queue is back, where no points come that would."""
        if self._routes[0].breaker.state is not State.CLOSED:
            await self.requeue(())

    async def _try(self, route: Route, parcels: Sequence[Parcel], rejected: int, seconds: float) -> str | None:
        """Try one way, if its breaker lets; why it did not work, None where it did."""
        permit = route.breaker.ask()
        if permit is None:
            return route.breaker.reason or "another request is trying"
        failure: str
        try:
            async with asyncio.timeout(seconds):
                await route.way.take(parcels, rejected)
        except TimeoutError:
            failure = f"no answer within {seconds:.1f} s"
            opened = route.breaker.failed(permit, failure, timeout=True)
        except Declined as exc:
            route.breaker.succeeded(permit)
            return exc.message
        except BackendError as exc:
            failure = exc.message
            opened = route.breaker.failed(permit, failure)
        except BaseException:
            route.breaker.withdrew(permit)
            raise
        else:
            closed = route.breaker.since
            if route.breaker.succeeded(permit):
                log.warning("the way by the %s is open again after %.1f s", route.way.via, route.breaker.since - closed)
            return None
        if opened:
            log.error("the way by the %s is closed: %s; %s", route.way.via, failure, self._meanwhile())
        return failure

    def _reasons(self) -> str:
        return "; ".join(f"{route.way.via}: {route.breaker.reason}" for route in self._routes)

    def _meanwhile(self) -> str:
        """Where points go, for whoever reads the log."""
        going = self.going
        return f"points go by the {going.via} until it works" if going.is_open else "points are refused until a way is open"
