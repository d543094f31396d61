"""Schemas of the answers that are no problems."""

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from pointq.ingest.intake import Via
from pointq.ingest.openapi.problems import reject_schemas
from pointq.ops.importing.report import LISTED
from pointq.points.kinds import KINDS

Schema = dict[str, Any]

_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_TIME_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_VIA: Schema = {"enum": [str(via) for via in Via], "description": "Which way they went; `queue` unless Redis is away."}
_QUEUED: Schema = {"type": "boolean", "description": "Whether they went by the queue."}
_UUID = "0b142a26-1c1c-5c23-a714-8b4148b18963"


def closed(properties: Schema, description: str, *, optional: tuple[str, ...] = ()) -> Schema:
    """An object of exactly those members."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def accepted_schema() -> Schema:
    """The 202 to points."""
    properties = {
        "success": {"const": True},
        "queued": _QUEUED,
        "via": _VIA,
        "flight_id": _TEXT_OR_NULL,
        "flight_uuid": {"type": ["string", "null"], "format": "uuid", "description": "The flight of the last good point."},
        "points": {"type": "integer", "minimum": 1, "description": "How many are durable now."},
        **reject_schemas(),
    }
    return {**closed(properties, "Points are durable."), "examples": [accepted_example()]}


def accepted_example() -> Schema:
    """One of them."""
    whose = {"flight_id": "task-3-pilot-42", "flight_uuid": _UUID}
    return {"success": True, "queued": True, "via": "queue", **whose, "points": 1, "rejected": [], "rejected_count": 0}


def imported_schema() -> Schema:
    """The 202 to files."""
    properties = {
        "success": {"const": True},
        "queued": _QUEUED,
        "via": _VIA,
        "points": {"type": "integer", "minimum": 1, "description": "How many are durable now."},
        "rejected_count": _COUNT,
        "files": {"type": "array", "items": {"$ref": "#/components/schemas/File"}, "minItems": 1},
    }
    return closed(properties, "The points of all files are durable.")


def file_schema() -> Schema:
    """What became of one file, as `pointq.ops.importing.answer` says it."""
    flight = closed({"flight_id": {"type": "string"}, "flight_uuid": {"type": "string", "format": "uuid"}}, "A flight.")
    reject = closed(
        {
            "line": {"type": "integer", "minimum": 0, "description": "Which record, from 1."},
            "reason": {"type": "string", "description": "What is wrong with it."},
            "record": {"type": "string", "description": "What `line` counts."},
            "offset": {"type": ["integer", "null"], "minimum": 0, "description": "The byte where it begins."},
        },
        "A record that is no fix.",
    )
    properties = {
        "file": {"type": "string", "description": "Its name, that of its archive before it."},
        "format": _TEXT_OR_NULL,
        "kind": {"enum": [*KINDS, None], "description": "What its points are stored as."},
        "logger": {**_TEXT_OR_NULL, "description": "Who recorded it."},
        "device": {**_TEXT_OR_NULL, "description": "The type of what recorded it."},
        "flights": {"type": "array", "items": flight, "maxItems": LISTED, "description": "The first of them."},
        "flight_count": _COUNT,
        "records": {**_COUNT, "description": "What should be fixes."},
        "points": {**_COUNT, "description": "Fixes accepted."},
        "duplicates_in_file": {**_COUNT, "description": "Fixes equal to an earlier one."},
        "rejected": {"type": "array", "items": reject, "maxItems": LISTED, "description": "The first of them."},
        "rejected_count": _COUNT,
        "reasons": {"type": "object", "additionalProperties": _COUNT, "description": "How many were rejected for each."},
        "start": {**_TIME_OR_NULL, "description": "The first fix."},
        "end": {**_TIME_OR_NULL, "description": "The last fix."},
        "highest": {"type": ["number", "null"], "description": "Altitude, m."},
        "length_km": {"type": ["number", "null"], "minimum": 0, "description": "Along the fixes."},
        "error": {**_TEXT_OR_NULL, "description": "Why it has no points."},
        "foreign": {"type": "boolean", "description": "Whether it is plainly something else than a track."},
    }
    return closed(properties, "What became of one file.")


def health_schema() -> Schema:
    """A short word on everything."""
    connected: Schema = {"enum": ["connected", "disconnected"]}
    pending = closed({"total_pending": {"type": ["integer", "null"], "minimum": 0}}, "Points that wait.")
    status = status_document()["properties"]
    properties = {
        "status": {"enum": ["healthy", "degraded", "unhealthy"], "description": "unhealthy: points are not accepted."},
        "redis": connected,
        "database": connected,
        "intake": status["intake"],
        "queues": closed(dict.fromkeys(KINDS, pending), "What waits, by kind."),
        "reasons": status["reasons"],
        "limits_met": {"type": "object", "additionalProperties": _COUNT, "description": "How often each limit was met here."},
        "pid": {"type": ["integer", "null"], "description": "Of the process that answers."},
        "time": status["time"],
    }
    return closed(properties, "A short word on everything.")


def status_schema() -> Schema:
    """The document of `pointq status --json`, and what older monitors read."""
    document = status_document()
    unknown: Schema = {"type": ["integer", "null"], "minimum": 0}
    sizes = closed(dict.fromkeys(("queue_size", "priority_queue_size", "total_pending"), unknown), "Points that wait.")
    processed = {"processed": unknown, "failed": unknown, "last_processed": _TIME_OR_NULL}
    legacy = {
        "redis_connected": {"type": "boolean"},
        "queue_stats": closed(dict.fromkeys(KINDS, sizes), "For older monitors."),
        "processor_stats": closed(processed, "For older monitors."),
    }
    return closed({**document["properties"], **legacy}, document["description"])


@cache
def status_document() -> Schema:
    """The schema of `pointq status --json`."""
    schema: Schema = orjson.loads((files("pointq.ops") / "status.schema.json").read_bytes())
    return schema
