"""Files: ``POST /tracking/import``."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from pointq.ingest.doors.devices import bound
from pointq.ingest.doors.grants import device_of
from pointq.ingest.forms import read_form
from pointq.ingest.importing import points_of
from pointq.ingest.intake import Via
from pointq.ingest.packing import arrived
from pointq.ingest.problems import Problem
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler
from pointq.ops.importing.answer import PATH, to_answer
from pointq.ops.importing.report import FileReport

_JSON = {"Content-Type": "application/json"}


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoint's handler by path."""

    async def accept(request: web.Request) -> web.Response:
        with services.arrivals[PATH].one() as came:
            # the turn begins when all is here: whoever sends slowly takes nobody's
            body = await arrived(request, came)
            async with services.desk.turn:
                form = await read_form(request, body)
                options = replace(form.options, device_id=bound(form.options.device_id, device_of(request)))
                reports, via = await services.desk.take(form.uploads, options)
        if (spend := services.spend_of(request)) is not None:
            spend(sum(report.records for report in reports))
        return web.Response(body=_answer(reports, via), status=HTTPStatus.ACCEPTED, headers=_JSON)

    return {PATH: accept}


def _answer(reports: Sequence[FileReport], via: Via) -> bytes:
    """The body of the 202. Raises Problem where no file has a point."""
    files = {"files": [to_answer(report) for report in reports]}
    if not points_of(reports):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "none of the files has a point that can be accepted", more=files)
    document: dict[str, Any] = {
        "success": True,
        "queued": via is Via.QUEUE,
        "via": via,
        "points": points_of(reports),
        "rejected_count": sum(report.rejected for report in reports),
        **files,
    }
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
