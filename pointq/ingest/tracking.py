"""Points as JSON: live, upload and scoring."""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus

import orjson
from aiohttp import web

from pointq.ingest.app import SERVICES
from pointq.ingest.bodies import submission
from pointq.ingest.packing import read_body
from pointq.ingest.problems import Problem, rejected
from pointq.ingest.submission import Verdict
from pointq.points.kinds import LIVE, SCORING, UPLOAD, Kind


def routes() -> Iterable[web.RouteDef]:
    """The endpoints, one a kind."""
    return [web.post(kind.endpoint, _handler(kind)) for kind in (LIVE, UPLOAD, SCORING)]


def _handler(kind: Kind) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def accept(request: web.Request) -> web.Response:
        services = request.app[SERVICES]
        points = submission(kind, await read_body(request), services.most_points)
        verdict = await services.commits[kind].submit(points)
        return answer(verdict)

    return accept


def answer(verdict: Verdict) -> web.Response:
    """The 202 of a request that left something in the queue. Raises Problem where nothing was good."""
    if not verdict.points:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "none of the points can be accepted", rejects=verdict.rejects)
    flight = verdict.flight
    body = {
        "success": True,
        "queued": True,
        "via": "queue",
        "flight_id": flight.flight_id if flight else None,
        "flight_uuid": flight.uuid if flight else None,
        "points": verdict.points,
        **rejected(verdict.rejects),
    }
    return web.Response(body=orjson.dumps(body), status=HTTPStatus.ACCEPTED, content_type="application/json")
