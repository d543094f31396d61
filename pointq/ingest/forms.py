"""Forms with files in them (multipart/form-data, RFC 7578)."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol

from pointq.errors import UsageError
from pointq.ingest.bodies import ID_BYTES
from pointq.ingest.importing import Upload
from pointq.ingest.packing import UNREADABLE_FORM, encoding_of, unpack
from pointq.ingest.problems import Problem
from pointq.ops.importing.options import Options, checked_kind, columns_of
from pointq.ops.source import shown

_FIELD_BYTES = 4096
"""Longest value of a field that is no file."""
_PARTS = 1000
_UNNAMED = "upload"

_Part = tuple[str, str | None, bytes]
"""Name, file name and content."""

_NAMES = ("kind", "flight_id", "device_id", "date", "split", "gap", "map")


@dataclass(frozen=True, slots=True)
class Form:
    """Its files, and how they are to be understood."""

    uploads: Sequence[Upload]
    options: Options


async def read_form(request: web.Request, body: bytes) -> Form:
    """The form in that body. Raises Problem: 400 where it cannot be read, 415 where it is none, 422 for a wrong field."""
    if request.content_type != "multipart/form-data":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"files come as multipart/form-data, in fields named file; found {request.content_type}",
        )
    uploads: list[Upload] = []
    fields: dict[str, list[str]] = {}
    try:
        # unpacking and taking apart 16 MiB takes 100 ms, which no live point should wait for
        parts = await asyncio.to_thread(_opened, request, body)
        for name, file_name, content in parts:
            if name == "file":
                uploads.append(Upload(shown(file_name or _UNNAMED), content))
            else:
                fields.setdefault(name, []).append(_text(name, content))
    except UNREADABLE_FORM as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {exc}") from exc
    if not uploads:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the form has no field named file")
    return Form(uploads, _options(fields))


def _opened(request: web.Request, body: bytes) -> list[_Part]:
    return asyncio.run(_parts(request.headers, unpack(body, encoding_of(request), request.client_max_size)))


async def _parts(headers: Mapping[str, str], body: bytes) -> list[_Part]:
    stream = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2 * len(body) + 1)
    stream.feed_data(body)
    stream.feed_eof()
    parts: list[_Part] = []
    async for part in MultipartReader(headers, stream):
        if not isinstance(part, BodyPartReader) or part.name is None or len(parts) >= _PARTS:
            raise ValueError(f"expected up to {_PARTS} parts, each with a name and none with parts of its own")
        parts.append((part.name, part.filename, bytes(await part.read())))
    return parts


def _text(name: str, content: bytes) -> str:
    if name not in _NAMES:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"there is no field {name!r}: expected file, {', '.join(_NAMES)}")
    if len(content) > _FIELD_BYTES or b"\0" in content:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must be a text of up to {_FIELD_BYTES} bytes without NUL")
    return content.decode()


def _options(fields: Mapping[str, list[str]]) -> Options:
    last = {name: values[-1] for name, values in fields.items() if values[-1]}
    for name in ("flight_id", "device_id"):
        if len(last.get(name, "").encode()) > ID_BYTES:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} must have at most {ID_BYTES} bytes")
    try:
        return Options(
            kind=checked_kind(last["kind"]) if "kind" in last else None,
            flight_id=last.get("flight_id"),
            device_id=last.get("device_id"),
            date=dt.date.fromisoformat(last["date"]) if "date" in last else None,
            split=_switch(last.get("split", "false")),
            gap_seconds=60 * _minutes(last.get("gap", "60")),
            columns=columns_of(fields.get("map", ())),
        )
    except (UsageError, ValueError) as exc:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc)) from exc


def _switch(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"split must be true or false, found {text!r}")
    return text == "true"


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 <= minutes < float("inf"):
        raise ValueError(f"gap must be a number of minutes, found {text!r}")
    return minutes
