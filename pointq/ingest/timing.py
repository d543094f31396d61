"""How long requests take."""

from time import perf_counter

from aiohttp import web

from pointq.ingest.shortcut import Handler
from pointq.metrics.counted import REQUEST

UNKNOWN = "unknown"
"""The endpoint of all paths that pointq does not have: what strangers think of must not become labels."""


_FAILURES = ("500", "503")


def fails(endpoint: str) -> None:
    """Count the failures of an endpoint that takes points from 0: the first one already is a reason for an alert."""
    for status in _FAILURES:
        REQUEST.begin(endpoint, status)


def timed(endpoint: str, handler: Handler) -> Handler:
    """The same handler, which may not raise; how long it takes is counted under that endpoint."""
    add = REQUEST.add

    async def answer(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        response = await handler(request)
        add(perf_counter() - began, endpoint, str(response.status))
        return response

    return answer
