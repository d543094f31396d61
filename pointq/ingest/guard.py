"""Whatever goes wrong in a handler becomes problem details.

A wrapper around each handler and a route for all that has none, instead of a middleware: aiohttp's chain of middlewares costs
a one-point post 4.5 of its 36 µs.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import ClientError, web

from pointq.errors import PointqError
from pointq.ingest.doors.gate import Admit
from pointq.ingest.packing import too_large
from pointq.ingest.problems import Problem
from pointq.ingest.seldom import defects
from pointq.ingest.shortcut import Handler

log = logging.getLogger("pointq.ingest")

RETRY_AFTER = 5
"""Seconds after which a client should try again while points cannot be accepted."""

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""What a server does with every request."""

_CUT = (ConnectionError, ClientError, web.RequestPayloadError, web.PayloadAccessError)
"""What reading a body raises when its connection is gone."""


def guarded(
    handler: Handler, admit: Admit | None = None, tell: Callable[[Problem], web.Response] = Problem.response
) -> Handler:
    """The same handler behind its door, if it has one; what either raises is answered, as `tell` does."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            if admit is not None:
                admit(request)
            return await handler(request)
        except Exception as exc:  # noqa: BLE001 - the boundary: what is not answered here closes the connection
            response = tell(problem_of(exc, request.path))
            _forget_frames(exc)
            return response

    return answer


def _forget_frames(exc: BaseException | None) -> None:
    """Let go of where an error and its causes were met.

    Those frames hold the points of the request, and the future that brought the error: a circle, which would keep them all
    until the collector looks at everything, and it seldom does.
    """
    while exc is not None and exc.__traceback__ is not None:  # None: met before, where an error is its own cause
        exc.__traceback__ = None
        exc = exc.__cause__ or exc.__context__


def problem_of(exc: Exception, path: str) -> Problem:
    """What a client is told that met this error; what it cannot be told stands in the log."""
    match exc:
        case Problem():
            return exc
        case web.HTTPRequestEntityTooLarge():
            return too_large()
        case web.HTTPException():
            return Problem(HTTPStatus(exc.status), exc.text or exc.reason)
        case PointqError():
            # a line for each request would flood the log: the breakers say once which way is closed
            log.debug("points could not be accepted: %s", exc)
            return unavailable(exc)
    if isinstance(exc, _CUT):
        # the client went away, or the server ends: whoever hears this still must send it again
        return Problem(HTTPStatus.BAD_REQUEST, f"the body ended early: {exc}")
    defects.defect(exc, "a request to %s met a defect", path)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect in pointq; its log says more")


def unavailable(exc: PointqError) -> Problem:
    """Points cannot be made durable now; the sender must try again."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"points cannot be accepted now: {exc.message}", retry_after=RETRY_AFTER)


def routed(by_route: RequestHandler) -> RequestHandler:
    """The search for a route, with problem details for what aiohttp finds wrong itself, such as what is expected."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await by_route(request)
        except web.HTTPException as exc:
            return problem_of(exc, request.path).response()

    return handle


async def nowhere(request: web.Request) -> web.Response:
    """The answer to a path that pointq does not have, or not for this method."""
    # as the router compares it: %2F is no slash there, and no more is it here
    path = request.rel_url.path_safe
    resources = [resource for resource in request.app.router.resources() if resource.canonical == path]
    methods = sorted({route.method for resource in resources for route in resource} - {"*"})
    if not methods:
        return Problem(HTTPStatus.NOT_FOUND, f"there is no {path}").response()
    problem = Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {', '.join(methods)}, not {request.method}")
    response = problem.response()
    response.headers["Allow"] = ", ".join(methods)
    return response
