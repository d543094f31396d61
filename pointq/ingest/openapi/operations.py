"""What each route does. A route that is missing here cannot be added: none is undocumented by mistake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pointq.ingest.doors.paths import OPENAPI_PATH
from pointq.ingest.openapi import answers, forms
from pointq.ingest.openapi.points import body_example, body_name
from pointq.metrics.port import PATH as METRICS_PATH
from pointq.ops.importing.answer import PATH as IMPORT_PATH
from pointq.points.kinds import FLYMASTER, KINDS, Kind

Schema = dict[str, Any]

ANYWHERE = (HTTPStatus.BAD_REQUEST, HTTPStatus.EXPECTATION_FAILED, HTTPStatus.INTERNAL_SERVER_ERROR)
"""Problems that any route may have."""

_BODY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_POINTS = (*_BODY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_MANY = (HTTPStatus.TOO_MANY_REQUESTS,)

_PACKED = "The body may have `Content-Encoding: gzip`, `deflate` or `zstd`."
_RETRY: Schema = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}, "required": True}}


@dataclass(frozen=True, slots=True)
class Operation:
    """One route, but for its method and its door."""

    id: str
    summary: str
    tag: str
    answers: Schema
    """By status; problems apart."""
    content: Schema | None = None
    """Of the body, by media type."""
    problems: tuple[HTTPStatus, ...] = ()
    """Besides those of `ANYWHERE` and of doors."""
    description: str = ""
    parameters: tuple[Schema, ...] = field(default=())
    lists: bool = False
    """Whether its problems list the points that were refused."""
    says_ok: bool = False
    """Whether its problems are NOK: instruments read two words."""


def operations() -> Mapping[str, Operation]:
    """All of them, by path."""
    json_kinds = [kind for kind in KINDS.values() if kind is not FLYMASTER]
    return {
        **{kind.endpoint: _points(kind) for kind in json_kinds},
        FLYMASTER.endpoint: _flymaster(),
        IMPORT_PATH: _import(),
        "/health": _health(),
        "/queue/status": _status(),
        METRICS_PATH: _metrics(),
        "/livez": _probe("livez", "Whether the process answers", (200,)),
        "/readyz": _probe("readyz", "Whether points are accepted durably", (200, 503)),
        OPENAPI_PATH: _openapi(),
    }


def ref(name: str) -> Schema:
    """Where the schema of that name is."""
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, name: str, **more: object) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": ref(name), **more}}}


def _points(kind: Kind) -> Operation:
    content = {"application/json": {"schema": ref(body_name(kind)), "example": body_example(kind)}}
    return Operation(
        id=f"post_{kind.name}",
        summary=f"Points of kind {kind.name}",
        tag="points",
        description=f"Answered once the points are durable. {_PACKED} The `Content-Type` is not looked at. A bad "
        "body is answered 400 or 422 with the list of the points refused, empty where none was looked at.",
        content=content,
        answers={"202": _json("At least one point is durable.", "Accepted", example=answers.accepted_example())},
        problems=(*_POINTS, HTTPStatus.UNPROCESSABLE_ENTITY),
        lists=True,
    )


def _flymaster() -> Operation:
    return Operation(
        id="post_flymaster",
        summary="The text that Flymaster instruments upload",
        tag="points",
        description="Where a secret is configured, the key in the first line is checked with it, in place of a token. "
        f"{_PACKED} A form must not be packed.",
        content=forms.flymaster_content(),
        answers={"200": {"description": "All is durable.", "content": {"text/plain": {"schema": {"const": "OK"}}}}},
        problems=(*_POINTS, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
        says_ok=True,
    )


def _import() -> Operation:
    return Operation(
        id="post_import",
        summary="Files with tracks",
        tag="points",
        description=f"Answered once the points of all files are durable. {_PACKED}",
        content=forms.import_content(),
        answers={"202": _json("At least one fix of one file is durable.", "Imported")},
        problems=(*_POINTS, HTTPStatus.UNPROCESSABLE_ENTITY),
    )


def _health() -> Operation:
    down = {**_json("Points are not accepted durably.", "Health"), "headers": _RETRY}
    found = {"200": _json("As it is.", "Health"), "503": down}
    return Operation("get_health", "A short word on everything", "watching", found, problems=_MANY)


def _status() -> Operation:
    found = {"200": _json("As it is.", "Status")}
    return Operation("get_status", "What waits, and who works", "watching", found, problems=_MANY)


def _metrics() -> Operation:
    content = {each: {"schema": {"type": "string"}} for each in ("text/plain", "application/openmetrics-text")}
    found = {"200": {"description": "As `Accept` prefers.", "content": content}}
    return Operation("get_metrics", "Metrics for Prometheus", "watching", found, problems=_MANY)


def _probe(name: str, summary: str, statuses: tuple[int, ...]) -> Operation:
    text: Schema = {"description": "Yes.", "content": {"text/plain": {"schema": {"const": "ok\n"}}}}
    no = {"description": "No.", "headers": _RETRY, "content": {"text/plain": {"schema": {"type": "string"}}}}
    found = {str(status): text if status == HTTPStatus.OK else no for status in statuses}
    return Operation(f"get_{name}", summary, "watching", found)


def _openapi() -> Operation:
    etag: Schema = {"ETag": {"schema": {"type": "string"}, "required": True}}
    known = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": "An ETag that is known."}
    return Operation(
        id="get_openapi",
        summary="This document",
        tag="watching",
        answers={
            "200": {"description": "It.", "headers": etag, "content": {"application/json": {"schema": {"type": "object"}}}},
            "304": {"description": "It is the one that is known.", "headers": etag},
        },
        parameters=(known,),
    )
