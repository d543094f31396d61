"""Points as JSON: live, upload and scoring."""

from collections.abc import Mapping

from aiohttp import web

from pointq.ingest.doors.grants import device_of
from pointq.ingest.packing import read_body
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler, accepted_response
from pointq.points.kinds import LIVE, SCORING, UPLOAD, Kind


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoints' handlers by path, one a kind."""
    return {kind.endpoint: _handler(kind, services) for kind in (LIVE, UPLOAD, SCORING)}


def _handler(kind: Kind, services: Services) -> Handler:
    commit, arrivals, spend_of = services.commits[kind], services.arrivals[kind.endpoint], services.spend_of

    async def accept(request: web.Request) -> web.StreamResponse:
        body = await read_body(request, arrivals)
        return accepted_response(request, await commit.submit(body, device_of(request), spend_of(request)))

    return accept
