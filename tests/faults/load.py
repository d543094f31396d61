"""Clients that send points all the time, and remember for each request what it was answered."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Self

from tests.support.api import KINDS, LIVE, UPLOAD
from tests.support.http import Client
from tests.support.points import START, Point, flight_uuid, point, text
from tests.support.standstill import Standstill
from tests.support.until import until

Key = tuple[str, uuid.UUID, datetime, float, float]
"""Kind, flight, time, lat, lon: what makes a point this point."""

BUDGET_SECONDS = 2.0
"""Longest that a request may wait for a way, by default."""
SLACK_SECONDS = 2.0
"""For a loaded machine to answer what is decided."""

_AGAIN_SECONDS = 0.05
"""Before the next request to a server that is gone."""


@dataclass(frozen=True, slots=True)
class Device:
    """Sends requests of so many points, so many a second."""

    path: str
    points: int
    per_second: float

    def request(self, flight: str, number: int) -> tuple[list[Key], list[Point]]:
        """The points of one request: their keys, and as they are sent."""
        kind = KINDS[self.path]
        flight_id = flight_uuid(kind, flight)
        keys = [
            (kind, flight_id, START + timedelta(seconds=i), round(45 + i * 1e-5, 7), round(6 + i * 1e-5, 7))
            for i in range(number * self.points, (number + 1) * self.points)
        ]
        return keys, [point(datetime=text(moment), lat=lat, lon=lon) for _, _, moment, lat, lon in keys]


DEVICES = (Device(LIVE, 5, 10), Device(LIVE, 1, 10), Device(UPLOAD, 50, 5), Device(UPLOAD, 700, 2))
"""The last ones are written by COPY."""

MANY = (Device(LIVE, 5, 20), Device(UPLOAD, 700, 10))
"""They fill something soon."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, and what it was told."""

    keys: tuple[Key, ...]
    status: int | None
    """None: the connection ended without an answer."""
    via: str | None
    begin: float
    end: float
    """By the monotonic clock."""
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether its points must never be lost."""
        return self.status == 202


class Load:
    """Sends while its `with` block runs; afterwards every request has had its last answer."""

    def __init__(self, url: str, seed: int, devices: tuple[Device, ...] = DEVICES, name: str = "flight") -> None:
        self.url = url
        """Where the server is; a new one listens elsewhere."""
        self.sent: list[Sent] = []
        self._devices = devices
        self._name = name
        self._order = random.Random(seed)  # noqa: S311 - an order, always the same
        self._over = threading.Event()
        self._standstill = Standstill()
        self._standstill.start()
        self._threads = ThreadPoolExecutor(len(devices))
        self._running = [
            self._threads.submit(self._send, device, f"{name} {number}", self._order.random())
            for number, device in enumerate(devices)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Send no more; when it returns, every request has had its answer. May be called twice."""
        self._over.set()
        self._threads.shutdown()
        self._standstill.stop()
        for sending in self._running:
            sending.result()

    @property
    def accepted(self) -> set[Key]:
        """Points that were answered 202."""
        return {key for sent in self.sent if sent.accepted for key in sent.keys}

    @property
    def uncertain(self) -> set[Key]:
        """Points that were not."""
        return {key for sent in self.sent if not sent.accepted for key in sent.keys}

    @property
    def ways(self) -> Counter[str]:
        """How many requests went which way."""
        return Counter(sent.via for sent in self.sent if sent.via)

    @property
    def refused(self) -> list[Sent]:
        """Requests that were answered, but not with a 202, while the machine left them most of their budget."""
        refused = [sent for sent in self.sent if sent.status not in {202, None}]
        return [sent for sent in refused if self._standstill.between(sent.begin, sent.end) < BUDGET_SECONDS / 2]

    @property
    def slowest(self) -> float:
        """Seconds that the slowest answer took, without those in which the machine stood still."""
        return max((self._seconds(sent) for sent in self.sent), default=0.0)

    def go_by(self, *ways: str, within: float = 30.0) -> None:
        """Wait until requests are accepted by one of these ways."""
        self.answers(lambda sent: sent.via in ways, f"points go by the {' or '.join(ways)}", within=within)

    def answers(self, wanted: Callable[[Sent], bool], what: str, within: float = 30.0) -> None:
        """Wait for such an answer to a request that was sent after now."""
        begin = len(self.sent) + len(self._devices)
        until(lambda: any(map(wanted, self.sent[begin:])), what, within=within)

    def last(self, seconds: float) -> None:
        """Let it go on for so long."""
        self._over.wait(seconds)

    def _send(self, device: Device, flight: str, phase: float) -> None:
        number = 0
        self._over.wait(phase / device.per_second)
        while not self._over.is_set():
            with Client(self.url) as client:
                try:
                    while not self._over.wait(1 / device.per_second):
                        keys, points = device.request(flight, number)
                        number += 1
                        self._request(client, device, flight, keys, points)
                except (OSError, HTTPException):
                    self._over.wait(_AGAIN_SECONDS)

    def _request(self, client: Client, device: Device, flight: str, keys: list[Key], points: list[Point]) -> None:
        begin = time.monotonic()
        try:
            answer = client.post(device.path, {"flight_id": flight, "track_points": points})
        except (OSError, HTTPException):
            self.sent.append(Sent(tuple(keys), None, None, begin, time.monotonic()))
            raise
        via = answer.json["via"] if answer.status == 202 else None
        self.sent.append(Sent(tuple(keys), answer.status, via, begin, time.monotonic(), answer.headers.get("retry-after")))

    def _seconds(self, sent: Sent) -> float:
        return sent.end - sent.begin - self._standstill.between(sent.begin, sent.end)
