"""Clients that send points all the time, and remember for each request what it was answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp

from pointq.points.flights import Flight
from pointq.points.kinds import LIVE, UPLOAD, Kind

START = datetime(2025, 6, 1, 10, tzinfo=UTC)
"""Of every flight's first point; each further one is a second later."""
POISON = 666
"""The elevation of a point that the database refuses, in metres."""
SOUND = 1_000

_PATIENCE_SECONDS = 30.0
_AGAIN_SECONDS = 0.05
"""Before the next request to a server that is gone."""


@dataclass(frozen=True, slots=True)
class Device:
    """Sends requests of so many points, so many a second."""

    kind: Kind
    points: int
    per_second: float


DEVICES = (Device(LIVE, 5, 10), Device(LIVE, 1, 10), Device(UPLOAD, 50, 5), Device(UPLOAD, 700, 2))
"""Small ones are written by INSERT, the last by COPY."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: points `first` to `first` + `count` - 1 of a flight, and what it was told."""

    first: int
    count: int
    status: int | None
    """None: the connection ended without an answer."""
    via: str | None
    seconds: float
    poison: int | None = None
    """The point that the database refuses."""

    @property
    def accepted(self) -> bool:
        """Whether its points must never be lost."""
        return self.status == HTTPStatus.ACCEPTED


@dataclass(slots=True)
class Client:
    """One device, its one flight, and all that it sent."""

    device: Device
    flight: Flight
    sent: list[Sent] = field(default_factory=list)
    is_poisoned: bool = False
    """Whether its next request has a point that the database refuses."""

    def next_request(self) -> tuple[Sent, dict[str, object]]:
        """What is sent next, and its body."""
        first = self.sent[-1].first + self.sent[-1].count if self.sent else 0
        poison = first if self.is_poisoned else None
        self.is_poisoned = False
        points = [_point(i, POISON if i == poison else SOUND) for i in range(first, first + self.device.points)]
        body: dict[str, object] = {"flight_id": self.flight.flight_id, "track_points": points}
        return Sent(first, self.device.points, None, None, 0.0, poison), body


def _point(number: int, elevation: int) -> dict[str, object]:
    moment = (START + timedelta(seconds=number)).isoformat()
    return {"lat": round(45 + number * 1e-5, 7), "lon": round(6 + number * 1e-5, 7), "datetime": moment, "elevation": elevation}


class Clients:
    """All devices together. `start` and `stop` may be called twice; after `stop` every request has had its last answer."""

    def __init__(self, where: Callable[[], str], devices: Sequence[Device] = DEVICES) -> None:
        self.each = [Client(device, Flight.of(device.kind.name, f"bench-{i}")) for i, device in enumerate(devices)]
        self._where = where
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._send_all(client)) for client in self.each]

    async def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    @property
    def answered(self) -> Counter[str]:
        """Requests by what became of them: a way, ``refused`` or ``unanswered``."""
        return Counter(_outcome(sent) for client in self.each for sent in client.sent)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest answer took."""
        return max((sent.seconds for client in self.each for sent in client.sent), default=0.0)

    async def _send_all(self, client: Client) -> None:
        timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not self._stop.is_set():
                sent, body = client.next_request()
                client.sent.append(await self._send(session, client, sent, body))
                pause = 1 / client.device.per_second if client.sent[-1].status else _AGAIN_SECONDS
                await _wait(self._stop, pause)

    async def _send(self, session: aiohttp.ClientSession, client: Client, sent: Sent, body: dict[str, object]) -> Sent:
        began = time.perf_counter()
        status = via = None
        try:
            async with session.post(self._where() + client.device.kind.endpoint, json=body) as answer:
                if answer.status == HTTPStatus.ACCEPTED:
                    via = (await answer.json())["via"]
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass  # killed before it answered: the points may be durable or not
        return Sent(sent.first, sent.count, status, via, time.perf_counter() - began, sent.poison)


def _outcome(sent: Sent) -> str:
    return sent.via or ("unanswered" if sent.status is None else "refused")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
