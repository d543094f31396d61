"""``GET /openapi.json``: what the server takes and answers, for whoever writes a client."""

import hashlib
from collections.abc import Iterator

import orjson
from aiohttp import ETag, web

from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.paths import OPENAPI_PATH
from pointq.ingest.guard import guarded
from pointq.ingest.openapi.document import Bounds, Route, document
from pointq.ingest.timing import timed


class _Page:
    """The document in bytes, made once."""

    def __init__(self) -> None:
        self._body = b""
        self._etag = ""

    def write(self, routes: Iterator[Route], bounds: Bounds) -> None:
        """Make it."""
        self._body = orjson.dumps(document(routes, bounds))
        self._etag = hashlib.sha256(self._body).hexdigest()[:32]

    async def answer(self, request: web.Request) -> web.Response:
        """The document, or that it is the one which the client has."""
        known = {each.value for each in request.if_none_match or ()}
        found = web.Response(status=304) if known & {self._etag, "*"} else self._whole()
        found.headers["Cache-Control"] = "no-cache"
        found.etag = ETag(self._etag)
        return found

    def _whole(self) -> web.Response:
        return web.Response(body=self._body, content_type="application/json")


def describe(app: web.Application, gate: Gate, bounds: Bounds) -> None:
    """Add the route, and describe all that there are by now, itself among them."""
    page = _Page()
    app.router.add_get(OPENAPI_PATH, timed(OPENAPI_PATH, guarded(page.answer, gate.at(OPENAPI_PATH))))
    page.write(routes_of(app, gate), bounds)


def routes_of(app: web.Application, gate: Gate) -> Iterator[Route]:
    """The routes of an application, each with the scope that its door asks for."""
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        yield Route(route.method, path, gate.scope(path))
