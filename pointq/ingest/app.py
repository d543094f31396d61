"""The aiohttp application: its routes, and what its handlers work with."""

from collections.abc import Mapping

from aiohttp import web

from pointq.ingest import files, flymaster, health, tracking
from pointq.ingest.describing import describe
from pointq.ingest.doors.gate import Gate
from pointq.ingest.guard import guarded, nowhere
from pointq.ingest.openapi.document import Limits
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler


def posts_of(services: Services, gate: Gate) -> Mapping[str, Handler]:
    """What takes points: handlers by path."""
    posts = {path: guarded(handler, gate.at(path)) for path, handler in tracking.handlers(services).items()}
    for path, handler in flymaster.handlers(services).items():
        posts[path] = guarded(handler, gate.at(path), flymaster.not_ok)
    return posts


def make_app(services: Services, posts: Mapping[str, Handler], gate: Gate, limits: Limits) -> web.Application:
    """The application with all its routes, each behind its door."""
    app = web.Application(client_max_size=limits.max_body_bytes)
    for path, handler in posts.items():
        app.router.add_post(path, handler)
    for path, handler in files.handlers(services).items():
        app.router.add_post(path, guarded(handler, gate.at(path)))
    for path, handler in health.handlers(services).items():
        app.router.add_get(path, guarded(handler, gate.at(path)))
    describe(app, gate, limits)
    app.router.add_route("*", "/{path:.*}", nowhere)
    return app
