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
    return {kind.endpoint: _handler(services.commits[kind]) for kind in (LIVE, UPLOAD, SCORING)}


def _handler(commit: GroupCommit) -> Handler:
    async def accept(request: web.Request) -> web.StreamResponse:
        return accepted_response(request, await commit.submit(await read_body(request), device_of(request)))

    return accept
