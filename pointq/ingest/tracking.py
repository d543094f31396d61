"""Points as JSON: live, upload and scoring."""

from collections.abc import Mapping

from aiohttp import web

from pointq.ingest.doors.grants import device_of
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.packing import read_body
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler, accepted_response
from pointq.points.kinds import LIVE, SCORING, UPLOAD


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoints' handlers by path, one a kind."""
    return {kind.endpoint: _handler(services.commits[kind], services) for kind in (LIVE, UPLOAD, SCORING)}


def _handler(commit: GroupCommit, services: Services) -> Handler:
    spend_of, arrivals = services.spend_of, services.arrivals

    async def accept(request: web.Request) -> web.StreamResponse:
        body = await read_body(request, arrivals)
        return accepted_response(request, await commit.submit(body, device_of(request), spend_of(request)))

    return accept
