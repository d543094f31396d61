"""The aiohttp application: its routes, and what its handlers work with."""

from collections.abc import Mapping

from aiohttp import web

from pointq.ingest import files, flymaster, health, metrics, tracking
from pointq.ingest.describing import describe
from pointq.ingest.doors.gate import Gate
from pointq.ingest.guard import guarded, nowhere
from pointq.ingest.limits.limits import Limits
from pointq.ingest.openapi.document import Bounds
from pointq.ingest.problems import Problem
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler
from pointq.ingest.timing import UNKNOWN, fails, timed


def posts_of(services: Services, gate: Gate, limits: Limits) -> Mapping[str, Handler]:
    """What takes points: handlers by path."""
    posts: dict[str, Handler] = {}
    for path, handler in tracking.handlers(services).items():
        posts[path] = timed(path, guarded(handler, limits.behind(gate, path), Problem.points_response))
    for path, handler in flymaster.handlers(services).items():
        posts[path] = timed(path, guarded(handler, limits.behind(gate, path), flymaster.not_ok))
    return posts


def make_app(services: Services, posts: Mapping[str, Handler], gate: Gate, limits: Limits, bounds: Bounds) -> web.Application:
    """The application with all its routes, each behind its door."""
    app = web.Application(client_max_size=bounds.max_body_bytes)
    for path, handler in posts.items():
        app.router.add_post(path, handler)
    for path, handler in files.handlers(services).items():
        app.router.add_post(path, timed(path, guarded(handler, limits.behind(gate, path))))
    for path in (*posts, *files.handlers(services)):
        fails(path)
    for path, handler in {**health.handlers(services), **metrics.handlers(services)}.items():
        app.router.add_get(path, timed(path, guarded(handler, limits.behind(gate, path))))
    describe(app, gate, bounds)
    app.router.add_route("*", "/{path:.*}", timed(UNKNOWN, nowhere))
    return app
