"""The aiohttp application: its routes, and what its handlers work with."""

from aiohttp import web

from pointq.ingest import flymaster, health, tracking
from pointq.ingest.guard import guarded, nowhere
from pointq.ingest.services import Services


def make_app(services: Services, *, max_body_bytes: int) -> web.Application:
    """The application with all its routes."""
    app = web.Application(client_max_size=max_body_bytes)
    for part in (tracking, flymaster):
        for path, handler in part.handlers(services).items():
            app.router.add_post(path, guarded(handler))
    for path, handler in health.handlers(services).items():
        app.router.add_get(path, guarded(handler))
    app.router.add_route("*", "/{path:.*}", nowhere)
    return app
