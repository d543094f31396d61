"""The load generator: requests made beforehand, sent over plain sockets, answers told apart by their status alone.

It shares two cores with what it measures, so it must cost little: no HTTP library, one write and one read a request.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast
from urllib.parse import urlsplit

from pointq.errors import PointqError

_LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What came of a load: answers by status, and each answer's latency in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        """How many answers came."""
        return self.statuses.total()

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


def request(url: str, path: str, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """One POST of JSON, ready to be written."""
    lines = {"Host": urlsplit(url).netloc, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{fields}\r\n".encode() + body


async def closed_loop(url: str, requests: Sequence[bytes], *, connections: int, seconds: float | None = None) -> Load:
    """Each connection sends the next request when its answer has come; until the requests are used up, or for some seconds."""
    load = Load()
    clock = time.perf_counter
    started = clock()
    end = None if seconds is None else started + seconds
    supply = iter(requests) if end is None else itertools.cycle(requests)

    async def one(peer: _Peer) -> None:
        for data in supply:
            sent = clock()
            if end is not None and sent >= end:
                return
            status = await peer.ask(data)
            load.latencies.append(clock() - sent)
            load.statuses[status] += 1

    await _with_peers(url, connections, one)
    load.seconds = clock() - started
    return load


async def open_loop(url: str, requests: Sequence[bytes], *, connections: int, rate: float, seconds: float) -> Load:
    """Requests at a fixed rate, whatever the answers do.

    A latency counts from when the request was due, not from when a connection was free to send it: a server that stalls is
    charged for all that should have been asked meanwhile (no coordinated omission).
    """
    load = Load()
    clock = time.perf_counter
    started = clock()
    turns = _turns(started, rate, seconds, requests)

    async def one(peer: _Peer) -> None:
        for due, data in turns:
            if (early := due - clock()) > 0:
                await asyncio.sleep(early)
            # the loop's timers have a millisecond, and may end a little early
            asked = min(due, clock())
            status = await peer.ask(data)
            load.latencies.append(clock() - asked)
            load.statuses[status] += 1

    await _with_peers(url, connections, one)
    load.seconds = clock() - started
    return load


def accepted(load: Load) -> int:
    """How many requests were accepted. Raises PointqError where one was not: the figure would be of something else."""
    refused = {status: count for status, count in load.statuses.items() if status != 202}  # noqa: PLR2004 - Accepted
    if refused or not load.answered:
        raise PointqError(f"a load of {load.answered} requests was not all accepted: {refused}")
    return load.answered


def _turns(started: float, rate: float, seconds: float, requests: Sequence[bytes]) -> Iterator[tuple[float, bytes]]:
    for turn, data in zip(range(int(rate * seconds)), itertools.cycle(requests), strict=False):
        yield started + turn / rate, data


async def _with_peers(url: str, connections: int, work: "Callable[[_Peer], Awaitable[None]]") -> None:
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    peers: list[_Peer] = []
    try:
        for _ in range(connections):
            _, peer = await loop.create_connection(_Peer, parts.hostname or "localhost", parts.port or 80)
            peers.append(peer)
        await asyncio.gather(*(work(peer) for peer in peers))
    finally:
        for peer in peers:
            peer.close()


class _Peer(asyncio.Protocol):
    """One connection: at most one request is open."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes, though they do what those do
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, data: bytes) -> "asyncio.Future[int]":
        """Send a request; the future is its status."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answer = answer
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(ConnectionResetError("the server closed the connection"))
        else:
            self._transport.write(data)
        return answer

    def data_received(self, data: bytes) -> None:
        self._buffer = data = self._buffer + data if self._buffer else data
        head = data.find(b"\r\n\r\n")
        if head < 0 or len(data) < head + 4 + _content_length(data, head):
            return
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(int(data[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def _content_length(data: bytes, head: int) -> int:
    lower = data[:head].lower()
    at = lower.find(_LENGTH)
    return int(lower[at + len(_LENGTH) : lower.find(b"\r\n", at) if b"\r\n" in lower[at:] else head]) if at >= 0 else 0
