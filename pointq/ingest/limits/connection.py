"""A connection that knows since when it waits for its client.

aiohttp bounds how long a connection may be idle, and nothing else: a head that comes byte by byte, a body that stops, an answer
that nobody reads hold it for ever. Whole requests cost no look at the clock here: what takes long is seen by `watchman`.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from aiohttp import web

from pointq.ingest.limits.plan import Times
from pointq.ingest.malformed import Malformed, TellingHandler
from pointq.ingest.problems import Problem

_HEAD_BYTES = 65_536
"""What may have come of a head that is not whole: a token of 8 KB, and what proxies add.

A connection holds no more than that for long. A head that comes at once is held for its request only, and bounded by aiohttp:
128 fields of 8 KB.
"""


class Slow(StrEnum):
    """What a client is too slow with, as the settings name it."""

    HEADER = "header_seconds"
    BODY = "body_seconds"
    ANSWER = "answer_seconds"


class Connection(TellingHandler):
    """One connection. While its answers wait to be read, no further requests are read."""

    __slots__ = ("_body", "_body_since", "_head_bytes", "_head_since", "_is_welcome", "_unread_since")

    def __init__(
        self,
        manager: web.Server,
        malformed: Malformed,
        is_welcome: "Callable[[Connection], bool]",
        **options: Any,  # noqa: ANN401 - aiohttp's
    ) -> None:
        super().__init__(manager, malformed, **options)
        self._is_welcome = is_welcome
        self._head_since: float | None = None
        self._head_bytes = 0
        self._unread_since: float | None = None
        self._body: web.BaseRequest | None = None
        self._body_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; where the server has no room for it, it ends at once."""
        super().connection_made(transport)
        if not self._is_welcome(self) and self.transport is not None:
            # after aiohttp has begun with it, which takes no connection that is lost before
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head is on its way where it was waited for, and is not whole yet."""
        super().data_received(data)
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._head_since = None
            self._head_bytes = 0
        elif data:
            self._head_since = self._head_since or self._loop.time()
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES and self.transport is not None:
                self.transport.abort()

    def pause_writing(self) -> None:
        """The client does not read: neither is it read."""
        super().pause_writing()
        self._unread_since = self._loop.time()
        self._pause_transport_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._unread_since = None
        if not self._reading_paused and not self._buffer_paused:
            self._resume_transport_reading()

    def _resume_transport_reading(self) -> None:
        if self._unread_since is None:
            super()._resume_transport_reading()

    @property
    def address(self) -> str:
        """Who opened it; "?" for a Unix socket."""
        peer = self.peername
        return str(peer[0]) if isinstance(peer, tuple) else "?"

    def slow(self, now: float, times: Times) -> Slow | None:
        """What the client is too slow with; None: nothing. To be asked once in a while, since a body's time is taken here."""
        self._time_body(now)
        if self._unread_since is not None:
            return Slow.ANSWER if now - self._unread_since > times.answer else None
        if self._head_since is not None and now - self._head_since > times.header:
            return Slow.HEADER
        return Slow.BODY if self._body is not None and now - self._body_since > times.body else None

    def cut(self, slow: Slow, times: Times) -> None:
        """End it. Who sends a body is still listening, and told why."""
        if slow is Slow.BODY and self._body is not None:
            detail = f"the body did not arrive within {times.body:g} s"
            self._body.content.set_exception(Problem(HTTPStatus.REQUEST_TIMEOUT, detail))
            self._body = None
        elif self.transport is not None:
            self.transport.abort()

    def _time_body(self, now: float) -> None:
        """See for which body the connection waits; none while it is this server that does not read."""
        request = self._current_request
        if request is None or request.content.is_eof() or self._reading_paused:
            self._body = None
        elif self._body is not request:
            self._body, self._body_since = request, now
