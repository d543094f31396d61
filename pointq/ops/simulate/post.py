"""One request, sent as a phone sends it: again and again until there is an answer that settles it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import aiohttp
import orjson

from pointq.aio import Backoff
from pointq.ops.simulate.totals import Totals

_TIMEOUT_S = 15.0
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""Besides all from 500 on, what means: try again."""
_LONGEST_RETRY_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What settled a request."""

    outcome: Literal["accepted", "refused", "given up"]
    rejected: int = 0
    """Points that the answer lists as rejected."""


class Post:
    """The way to the server, shared by all pilots."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], totals: Totals) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = headers
        self._totals = totals
        self.given_up = asyncio.Event()
        """Set when nobody is to try again."""

    async def send(self, path: str, body: bytes, content_type: str, points: int) -> Answer:
        """Send until the server takes the points or refuses them, or it is given up."""
        backoff = Backoff(0.5, 10.0)
        while True:
            status, answer, wait = await self._once(path, body, content_type)
            if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                return Answer("accepted", _rejected(answer))
            if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _LATER:
                return _refused(status, answer)
            if await self._given_up_within(max(wait, backoff.step())):
                return Answer("given up")
            self._totals.retries += 1
            if status is None:
                # it may have been taken
                self._totals.duplicates_sent += points

    async def _once(self, path: str, body: bytes, content_type: str) -> tuple[int | None, bytes, float]:
        """Status, answer and how long the server asks to wait; no status where no answer came."""
        self._totals.requests += 1
        headers = {**self._headers, "Content-Type": content_type}
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._session.post(self._url + path, data=body, headers=headers) as got:
                answer = await got.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            self._totals.unanswered += 1
            return None, b"", 0.0
        self._totals.statuses[got.status] += 1
        return got.status, answer, _retry_after(got.headers.get("Retry-After", ""))

    async def _given_up_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.given_up.wait()
        except TimeoutError:
            return False
        return True


def _refused(status: int, answer: bytes) -> Answer:
    """A request of which every point was rejected is refused too, but says so."""
    rejected = _rejected(answer) if status == HTTPStatus.UNPROCESSABLE_ENTITY else 0
    return Answer("refused", rejected)


def _rejected(answer: bytes) -> int:
    """The number of rejected points that an answer states; a Flymaster instrument is told none."""
    try:
        document: Any = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return 0
    count = document.get("rejected_count", 0) if isinstance(document, dict) else 0
    return count if isinstance(count, int) else 0


def _retry_after(text: str) -> float:
    return min(float(text), _LONGEST_RETRY_AFTER_S) if text.isdecimal() else 0.0
