"""The aiohttp application: its routes, and what its handlers work with."""

from collections.abc import Mapping

from aiohttp import web

from pointq.ingest import files, flymaster, health, tracking
from pointq.ingest.guard import guarded, nowhere
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler


def posts_of(services: Services) -> Mapping[str, Handler]:
    """What takes points: handlers by path."""
    handlers = {path: handler for part in (tracking, flymaster) for path, handler in part.handlers(services).items()}
    return {path: guarded(handler) for path, handler in handlers.items()}


def make_app(services: Services, posts: Mapping[str, Handler], *, max_body_bytes: int) -> web.Application:
    """The application with all its routes."""
    app = web.Application(client_max_size=max_body_bytes)
    for path, handler in posts.items():
        app.router.add_post(path, handler)
    for path, handler in files.handlers(services).items():
        app.router.add_post(path, guarded(handler))
    for path, handler in health.handlers(services).items():
        app.router.add_get(path, guarded(handler))
    app.router.add_route("*", "/{path:.*}", nowhere)
    return app
