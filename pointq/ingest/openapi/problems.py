"""Schemas of problem details (RFC 9457), and the answers that carry them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pointq.ingest.problems import LISTED, LISTING, TYPE

Schema = dict[str, Any]

JSON = "application/problem+json"

WHEN: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request is no HTTP, its body is not what it says it is, cannot be unpacked, or was cut.",
    HTTPStatus.UNAUTHORIZED: "There is no token, or it is not good.",
    HTTPStatus.FORBIDDEN: "The token does not allow this, or is for another device.",
    HTTPStatus.NOT_FOUND: "There is no such path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path does not take this method; `Allow` says which it takes.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not arrive in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large, or has too many points: send several requests.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The Content-Encoding, or the Content-Type, is none that is read here.",
    HTTPStatus.EXPECTATION_FAILED: "The request expects something else than 100-continue.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The body can be read, and nothing in it be accepted.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many came from there, or too much waits here: send it again after `Retry-After`.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A defect in pointq; its log says more.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Points cannot be made durable now, or a token not be checked: send it again later.",
}
"""All that are answered, and what each means. pointq's problems are told apart by their status; all have one type."""

_SECONDS: Schema = {"type": "integer", "minimum": 0}
_HEADERS: Mapping[HTTPStatus, Mapping[str, Schema]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    HTTPStatus.FORBIDDEN: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": {"schema": {"type": "string"}, "required": True}},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": {"schema": _SECONDS}},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": {"schema": _SECONDS, "required": True}},
}


def problem_schema(status: HTTPStatus) -> Schema:
    """The document of that problem."""
    properties: Schema = {
        "type": {"const": TYPE, "description": "Of all problems; `status` says which it is."},
        "title": {"const": status.phrase},
        "status": {"const": status.value},
        "detail": {"type": "string", "description": "What was expected, what was found."},
    }
    if status in LISTING:
        properties |= reject_schemas()
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        files = {"type": "array", "items": {"$ref": "#/components/schemas/File"}, "description": "Of an import."}
        properties["files"] = files
    return {
        "type": "object",
        "description": WHEN[status],
        "properties": properties,
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": False,
    }


def reject_schemas() -> Schema:
    """The members of an answer that say which points were refused."""
    reject = {
        "type": "object",
        "properties": {
            "index": {"type": "integer", "minimum": 0, "description": "Its place in the list of points."},
            "field": {"type": "string", "description": "The first that is wrong; empty where the point is no object."},
            "reason": {"type": "string", "description": "What was expected, what was found."},
        },
        "required": ["index", "field", "reason"],
        "additionalProperties": False,
    }
    return {
        "rejected": {"type": "array", "items": reject, "maxItems": LISTED, "description": "The first points refused."},
        "rejected_count": {"type": "integer", "minimum": 0, "description": "How many were refused."},
    }


def problem_name(status: HTTPStatus) -> str:
    """What schema and answer of that problem are called."""
    # the words of some statuses change with the version of Python
    return f"Problem{status.value}"


def problem_answer(status: HTTPStatus) -> Schema:
    """The answer with that problem."""
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{problem_name(status)}"}, "example": _example(status)}}
    return _with_headers(status, {"description": WHEN[status], "content": content})


def listing_answer(status: HTTPStatus) -> Schema:
    """The same where points are taken; what is no HTTP meets no route, and is a 400 without the list."""
    if status is not HTTPStatus.UNPROCESSABLE_ENTITY:
        return reference(status)
    schema = {"allOf": [{"$ref": f"#/components/schemas/{problem_name(status)}"}, {"required": list(reject_schemas())}]}
    example = {**_example(status), "rejected": [], "rejected_count": 0}
    return {"description": WHEN[status], "content": {JSON: {"schema": schema, "example": example}}}


def not_ok_answer(status: HTTPStatus) -> Schema:
    """The same for instruments, which read two words; what is no HTTP was not seen to be theirs."""
    content: Schema = {"text/plain": {"schema": {"const": "NOK"}}}
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.EXPECTATION_FAILED, HTTPStatus.INTERNAL_SERVER_ERROR}:
        content[JSON] = {"schema": {"$ref": f"#/components/schemas/{problem_name(status)}"}}
    return _with_headers(status, {"description": WHEN[status], "content": content})


def reference(status: HTTPStatus) -> Schema:
    """Where an operation finds that answer."""
    return {"$ref": f"#/components/responses/{problem_name(status)}"}


def _with_headers(status: HTTPStatus, answer: Schema) -> Schema:
    headers = _HEADERS.get(status)
    return {**answer, "headers": headers} if headers else answer


def _example(status: HTTPStatus) -> Schema:
    return {"type": TYPE, "title": status.phrase, "status": status.value, "detail": WHEN[status].rstrip(".")}
