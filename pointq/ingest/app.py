"""The aiohttp application: its routes, and what all answers have in common."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from pointq.errors import PointqError
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.packing import too_large
from pointq.ingest.problems import Problem
from pointq.ops.status import Status
from pointq.points.kinds import Kind

log = logging.getLogger("pointq.ingest")

RETRY_AFTER = 5
"""Seconds after which a client should try again while points cannot be accepted."""


class StatusSource(Protocol):
    """Who tells the status: quickly, whatever is down."""

    async def __call__(self) -> Status: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with."""

    commits: Mapping[Kind, GroupCommit]
    status: StatusSource
    zone: tzinfo
    most_points: int
    flymaster_secret: str | None = None


SERVICES = web.AppKey("services", Services)


def make_app(services: Services, *, max_body_bytes: int) -> web.Application:
    """The application with all its routes."""
    from pointq.ingest import flymaster, health, tracking  # noqa: PLC0415 - they need SERVICES from here

    app = web.Application(client_max_size=max_body_bytes, middlewares=[problems])
    app[SERVICES] = services
    app.add_routes(tracking.routes())
    app.add_routes(flymaster.routes())
    app.add_routes(health.routes())
    return app


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into problem details."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPRequestEntityTooLarge:
        return too_large().response()
    except web.HTTPException as exc:
        if exc.status < HTTPStatus.BAD_REQUEST:
            raise
        response = Problem(HTTPStatus(exc.status), exc.text or exc.reason).response()
        if "Allow" in exc.headers:
            response.headers["Allow"] = exc.headers["Allow"]
        return response
    except PointqError as exc:
        log.warning("points could not be accepted: %s", exc)
        return unavailable(exc).response()
    except Exception:
        log.exception("a request to %s met a defect", request.path)
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect in pointq; its log says more").response()


def unavailable(exc: PointqError) -> Problem:
    """Points cannot be made durable now; the sender must try again."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"points cannot be accepted now: {exc.message}", retry_after=RETRY_AFTER)
