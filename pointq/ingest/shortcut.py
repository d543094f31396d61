"""The short way from a request to its 202.

aiohttp resolves a route for each request, and builds, checks and serializes each header of each answer: of the 44 µs of a bare
handler 4 and 13. The paths that take points are few and fixed, and their 202 is always the same but for its body. So an exact
POST to one of them goes straight to its handler, and the head of its answer is made once a second. Whatever is not as usual
(another method, a query, `Expect`, HTTP/1.0, a connection that is to be closed, anything but a 202) takes aiohttp's own way,
and gets the same answer.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from pointq.ingest.drain import Drain

_JSON = {"Content-Type": "application/json"}
_STATUS, _REASON = HTTPStatus.ACCEPTED.value, HTTPStatus.ACCEPTED.phrase
"""Looked up here, not at every answer."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def take_shortcut(server: web.Server, posts: Mapping[str, Handler], drain: Drain) -> None:
    """Let POSTs to exactly those paths go to their handlers without a search for the route; answers say when a drain begins."""
    by_route = server.request_handler

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        handler = posts.get(request.raw_path) if request.method == "POST" else None
        if handler is None or "Expect" in request.headers or not isinstance(request, web.Request):
            response = await by_route(request)
        else:
            response = await handler(request)
        if drain.begun:
            response.force_close()
        return response

    server.request_handler = handle


def accepted_response(request: web.Request, document: bytes) -> web.StreamResponse:
    """The 202 of that request, with that JSON document."""
    if request.version == HttpVersion11 and request.keep_alive:
        return _Accepted(document)
    return web.Response(body=document, status=_STATUS, headers=_JSON)


class _Accepted(web.StreamResponse):
    """A 202 in one piece, on a connection of HTTP/1.1 that the client would keep."""

    def __init__(self, document: bytes) -> None:
        super().__init__(status=_STATUS, reason=_REASON)
        self._document = document
        self._writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        return self._keep_alive is None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Nothing has to be prepared."""
        self._writer = request.writer
        return self._writer

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002 - the document is all there is
        """Send everything."""
        if self._writer is not None:
            document, head = self._document, _head(int(time.time()), self._keep_alive is None)
            await self._writer.write(b"%b%d\r\n\r\n%b" % (head, len(document), document))


@lru_cache(maxsize=1)
def _head(second: int, keep: bool) -> bytes:  # noqa: FBT001 - a cache knows keywords apart from places
    """The head of a 202 that is sent in that second of Unix time, up to the length of its body."""
    lines = [
        "HTTP/1.1 202 Accepted",
        *([] if keep else ["Connection: close"]),
        "Content-Type: application/json",
        f"Date: {formatdate(second, usegmt=True)}",
        f"Server: {SERVER_SOFTWARE}",
        "Content-Length: ",
    ]
    return "\r\n".join(lines).encode()
