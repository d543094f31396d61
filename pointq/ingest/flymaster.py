"""The uploads of Flymaster instruments, which understand two answers: OK and NOK."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

import numpy as np
from aiohttp import BodyPartReader, web

from pointq.errors import FormatError, PointqError
from pointq.formats.flymaster import FlymasterUpload, parse_flymaster_upload, sender_of, verify_key
from pointq.ingest.doors.grants import device_of
from pointq.ingest.guard import RETRY_AFTER
from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.packing import IDENTITY, UNREADABLE_FORM, encoding_of, read_body
from pointq.ingest.problems import Problem
from pointq.ingest.seldom import Seldom
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler
from pointq.points.batch import PointBatch
from pointq.points.flights import device_day_flights
from pointq.points.kinds import FLYMASTER

log = logging.getLogger("pointq.ingest")
seldom = Seldom(log)

_SHORT_BYTES = 65_536
"""An upload that is read in some 10 ms."""


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoint's handler by path."""

    async def handle(request: web.Request) -> web.Response:
        return await accept(request, services)

    return {FLYMASTER.endpoint: handle}


async def accept(request: web.Request, services: Services) -> web.Response:
    """Store the rows that arrived whole; OK only where all of the upload did: on NOK the instrument sends it again."""
    arrivals = services.arrivals[FLYMASTER.endpoint]
    try:
        text = await _text(request, arrivals)
        # a stranger's rows are never read, and the rows of the others take room until they are stored
        _check_sender(*sender_of(text), services, request)
        with arrivals.one() as came:
            came(len(text))
            upload = await _parsed(text)
            await _keep(upload, services, request)
    except FormatError as exc:
        return _refuse(HTTPStatus.BAD_REQUEST, "%s", exc)
    except Problem as problem:
        return _refuse(problem.status, "%s", problem.detail, headers=problem.headers)
    except web.HTTPRequestEntityTooLarge:
        return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the upload is larger than this server takes")
    except PointqError as exc:
        # the breakers say once which way is closed
        log.debug("an upload could not be accepted: %s", exc)
        headers = {"Retry-After": str(RETRY_AFTER)}
        return web.Response(text="NOK", status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    return _judge(upload)


async def _parsed(text: bytes) -> FlymasterUpload:
    """The upload; a long one is read beside the event loop, where it would hold everybody up."""
    parse = partial(parse_flymaster_upload, text, now_us=time.time_ns() // 1000)
    return parse() if len(text) <= _SHORT_BYTES else await asyncio.to_thread(parse)


async def _keep(upload: FlymasterUpload, services: Services, request: web.Request) -> None:
    if (spend := services.spend_of(request)) is not None:
        spend(upload.track.records)
    await services.commits[FLYMASTER].append(_batch(upload, services), len(upload.track.rejects))


def _check_sender(serial: str, digest: str, services: Services, request: web.Request) -> None:
    """Raises Problem where the upload's key is wrong, or the token is for another instrument."""
    secret, device = services.flymaster_secret, device_of(request)
    if secret is not None and not verify_key(serial, digest, secret):
        services.failed(request)
        raise Problem(HTTPStatus.UNAUTHORIZED, f"the key of instrument {serial} is wrong")
    if device not in {None, serial}:
        raise Problem(HTTPStatus.FORBIDDEN, f"the token is for another instrument than {serial}")


def _judge(upload: FlymasterUpload) -> web.Response:
    track = upload.track
    if len(track.rejects):
        first = next(iter(track.rejects))
        seldom.warning(
            "instrument %s: %d of %d rows are no fixes; line %d: %s",
            upload.serial,
            len(track.rejects),
            track.records,
            first.line,
            first.reason,
        )
    if not track.complete:
        message = "instrument %s: cut before EOF, or something stands behind it; its %d whole rows are kept"
        return _refuse(HTTPStatus.BAD_REQUEST, message, upload.serial, len(track))
    if track.records and not len(track):
        return _refuse(HTTPStatus.BAD_REQUEST, "instrument %s: no row is a fix", upload.serial)
    return web.Response(text="OK")


def _batch(upload: FlymasterUpload, services: Services) -> PointBatch:
    columns = upload.track.columns
    times = np.asarray(columns["time"], np.int64)
    flights, flight = device_day_flights(FLYMASTER.name, upload.serial, times, services.zone)
    return PointBatch(FLYMASTER, flights, flight, columns)


async def _text(request: web.Request, arrivals: Arrivals) -> bytes:
    """The upload: the multipart field ``file``, or the body as it is."""
    if not request.content_type.startswith("multipart/"):
        return await read_body(request, arrivals)
    if encoding_of(request) != IDENTITY:
        raise FormatError("a multipart body must not be compressed as a whole")
    is_form = request.content_type == "multipart/form-data"
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                if not is_form and "Content-Encoding" in part.headers:
                    # aiohttp would unpack it on the event loop, 64 KB to 32 MB at a time
                    raise FormatError("a part must not be compressed: send the text alone, as the whole body, to compress it")
                with arrivals.one() as came:
                    return await _bounded(part, request.client_max_size, came)
    except UNREADABLE_FORM as exc:
        raise FormatError(f"the multipart body cannot be read: {exc}") from exc
    raise FormatError("the multipart body has no field named file")


async def _bounded(part: BodyPartReader, most: int, came: Callable[[int], None]) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65_536):
        came(len(chunk))
        data += part.decode(chunk)
        if len(data) > most:
            raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=len(data))
    return bytes(data)


def not_ok(problem: Problem) -> web.Response:
    """NOK, in place of the problem: a door stays shut."""
    return web.Response(text="NOK", status=problem.status, headers=problem.headers)


def _refuse(status: HTTPStatus, message: str, *arguments: object, headers: Mapping[str, str] | None = None) -> web.Response:
    # whoever may knock here may do so often
    seldom.warning(message, *arguments)
    return web.Response(text="NOK", status=status, headers=headers)
