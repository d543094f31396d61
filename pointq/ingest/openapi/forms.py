"""Schemas of what comes as text or as a form: instruments' uploads, and files."""

from typing import Any

from pointq.formats.csv.names import QUANTITIES
from pointq.formats.flymaster import HEADER, ROW
from pointq.ingest.openapi.points import id_schema
from pointq.points.kinds import KINDS

Schema = dict[str, Any]

FLYMASTER_EXAMPLE = f"12345,{'0' * 64}\n1750507205,1750507200,45.8146,6.2488,1850,36,270\nEOF\n"


def flymaster_content() -> Schema:
    """What an instrument sends, as it is or in a form."""
    text = {
        "type": "string",
        "pattern": f"^{HEADER.pattern.decode()}\\r?\\n(?:{ROW.pattern.decode()}\\r?\\n)*EOF[ \\t\\r]*(?:\\n|$)",
        "description": "`<serial>,<hexadecimal SHA-256 of serial and secret>`, a row `<sent>,<fixed>,<lat>,<lon>,<altitude m>,"
        "<speed km/h>,<heading>` for each fix, times in Unix seconds, and `EOF`. Rows that are no fixes are left out; if there "
        "are rows, one must be a fix. What follows the line with `EOF` is ignored.",
        "examples": [FLYMASTER_EXAMPLE],
    }
    form = {"type": "object", "properties": {"file": {**text, "contentMediaType": "text/plain"}}, "required": ["file"]}
    return {"text/plain": {"schema": text}, "multipart/form-data": {"schema": form}}


def import_content() -> Schema:
    """Files of any format that pointq reads, and how to read them."""
    return {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Files"}}}


def files_schema() -> Schema:
    """The form with files."""
    names = "|".join(quantity.name for quantity in QUANTITIES)
    properties = {
        "file": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"},
            "description": "Tracks, or zip archives of tracks. At least one fix must be in one of them.",
        },
        "kind": _or_empty({"enum": list(KINDS)}, "What the points are stored as."),
        "flight_id": _id("Of all files' fixes."),
        "device_id": _id("What recorded them."),
        "date": _or_empty({"type": "string", "format": "date"}, "For files that know none."),
        "split": _or_empty({"enum": ["true", "false"]}, "Whether gaps begin a new flight."),
        "gap": _or_empty({"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$"}, "Shortest gap, minutes; 60."),
        "map": {
            "type": "array",
            "items": {"type": "string", "pattern": rf"^({names})=[^\u0000]+$", "maxLength": 1000},
            "description": "For tables: `name=Header`.",
        },
    }
    return {
        "type": "object",
        "description": "Files, and how to understand them. At most 1000 parts; a value of a field that is no file has at most "
        "4096 bytes without NUL, and counts as left out where it is empty.",
        "properties": properties,
        "required": ["file"],
        "additionalProperties": False,
    }


def _or_empty(schema: Schema, description: str) -> Schema:
    return {"anyOf": [schema, {"const": ""}], "description": description}


def _id(description: str) -> Schema:
    return {**id_schema(description), "type": "string", "minLength": 0}
