"""The document: every route of the application, with its door, and the limits of this server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pointq.ingest.openapi import answers, forms
from pointq.ingest.openapi.operations import ANYWHERE, Operation, operations
from pointq.ingest.openapi.points import body_name, body_schema, point_name, point_schema
from pointq.ingest.openapi.problems import (
    WHEN,
    listing_answer,
    not_ok_answer,
    problem_answer,
    problem_name,
    problem_schema,
    reference,
)
from pointq.points.kinds import FLYMASTER, KINDS

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one request."""

    max_body_bytes: int
    """Packed or not."""
    max_points: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where and how something is asked, and which scope a token for it must have; None: the door is open."""

    method: str
    path: str
    scope: str | None


SCHEMES: Mapping[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer TOKEN`."},
    "basic": {"type": "http", "scheme": "basic", "description": "The token is the password; the user does not matter."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The token."},
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "The token, for devices that know no better: what is in an address is often written into logs.",
    },
}
"""Where a request shows its token."""


def document(routes: Iterable[Route], bounds: Bounds) -> Schema:
    """The description of those routes. A route without an operation is a defect, and a KeyError."""
    known = operations()
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known[route.path])
    return {
        "openapi": "3.1.1",
        "info": _info(bounds),
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "points", "description": "Points in."},
            {"name": "watching", "description": "For monitors, orchestrators and clients."},
        ],
        "paths": paths,
        "components": {
            "schemas": _schemas(bounds),
            "responses": {problem_name(status): problem_answer(status) for status in WHEN},
            "securitySchemes": dict(SCHEMES),
        },
    }


def _info(bounds: Bounds) -> Schema:
    text = (
        "Takes GPS points, and answers once they are durable. Positions are degrees in WGS 84, altitudes metres, speeds metres "
        f"a second. A body has at most {bounds.max_body_bytes} bytes, unpacked too. Problems are `application/problem+json` "
        "(RFC 9457). A path that is not here is answered 404, another method 405 with `Allow`."
    )
    licence = {"name": "MIT", "identifier": "MIT"}
    return {"title": "pointq", "version": version("pointq"), "description": text, "license": licence}


def _operation(route: Route, operation: Operation) -> Schema:
    head = route.method == "HEAD"
    found: Schema = {
        "operationId": operation.id.replace("get_", "head_") if head else operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [] if route.scope is None else [{name: [route.scope]} for name in SCHEMES],
        "responses": _responses(route, operation, head=head),
    }
    if operation.description:
        found["description"] = operation.description
    if operation.parameters:
        found["parameters"] = list(operation.parameters)
    if operation.content is not None:
        found["requestBody"] = {"required": True, "content": operation.content}
    return found


def _responses(route: Route, operation: Operation, *, head: bool) -> Schema:
    door = () if route.scope is None else (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
    tell = not_ok_answer if operation.says_ok else listing_answer if operation.lists else reference
    problems = {str(status.value): tell(status) for status in sorted({*ANYWHERE, *door, *operation.problems})}
    found = {**problems, **operation.answers}
    if door and "503" in operation.answers:
        found["503"] = _either(operation.answers["503"], problem_answer(HTTPStatus.SERVICE_UNAVAILABLE))
    return {status: {"description": WHEN.get(HTTPStatus(int(status)), "As to GET.")} for status in found} if head else found


def _either(one: Schema, other: Schema) -> Schema:
    """An answer that may have the content of either."""
    return {**one, "content": {**one["content"], **other["content"]}}


def _schemas(bounds: Bounds) -> Schema:
    json_kinds = [kind for kind in KINDS.values() if kind is not FLYMASTER]
    return {
        **{point_name(kind): point_schema(kind) for kind in json_kinds},
        **{body_name(kind): body_schema(kind, bounds.max_points) for kind in json_kinds},
        "Files": forms.files_schema(),
        "Accepted": answers.accepted_schema(),
        "Imported": answers.imported_schema(),
        "File": answers.file_schema(),
        "Health": answers.health_schema(),
        "Status": answers.status_schema(),
        **{problem_name(status): problem_schema(status) for status in WHEN},
    }
