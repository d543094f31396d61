"""Schemas of points and of the bodies that carry them, from the kinds.

JSON Schema counts characters, pointq bytes of UTF-8, and no schema knows what time it is: what a schema cannot say stands in
its description.
"""

import re
from typing import Any

from pointq.ingest.bodies import ID_BYTES
from pointq.ingest.usual import points_field
from pointq.points.iso import ISO, LONGEST
from pointq.points.kinds import LIVE, SCORING, Column, ColumnType, Kind
from pointq.points.rules import DAY_US, FIRST_TIME, POWER_UP_DAY
from pointq.points.times import END_S, FIRST_S

Schema = dict[str, Any]

_NO_NUL = r"^[^\u0000]*$"
_SECOND_US = 1_000_000
_TIME_TEXT = "^" + re.sub(r"\?P<\w+>", "?:", ISO.pattern).removesuffix("?") + "$"
"""What is read, without Python's names of groups, and with the offset, which must be there."""

_WINDOW = "Not before 1980, not on 2000-01-01, and not more than 24 h ahead of the server's clock."
_NEGATIVE = "A negative number means that it is unknown, as null does."
_NOT_BOTH_ZERO: Schema = {"required": ["lat", "lon"], "properties": {"lat": {"const": 0}, "lon": {"const": 0}}}

_BY_NAME = {"lat": 45.8146, "lon": 6.2488, "heading": 270, "time_text": "14:00:00"}
_BY_UNIT = {"m": 1850.5, "m/s": 11.25}
_BY_TYPE = {ColumnType.TIME: "2025-06-21T12:00:00.250Z", ColumnType.BOOL: True, ColumnType.INT: 5, ColumnType.TEXT: "A"}


def point_name(kind: Kind) -> str:
    """What the schema of that kind's points is called."""
    return f"{kind.name.capitalize()}Point"


def body_name(kind: Kind) -> str:
    """What the schema of a body with that kind's points is called."""
    return f"{kind.name.capitalize()}Points"


def point_schema(kind: Kind) -> Schema:
    """One point."""
    return {
        "type": "object",
        "description": f"A fix of kind {kind.name}. Further fields are ignored. A position of exactly 0, 0 is refused.",
        "properties": {column.json: _column(column) for column in kind.columns},
        "required": [column.json for column in kind.columns if column.required],
        "not": _NOT_BOTH_ZERO,
        "examples": [point_example(kind)],
    }


def body_schema(kind: Kind, most_points: int) -> Schema:
    """A request's body."""
    name = points_field(kind)
    points = {
        "type": "array",
        "description": "The points. Bad ones are refused and named in the answer; the others are kept.",
        "items": {"$ref": f"#/components/schemas/{point_name(kind)}"},
        "minItems": 1,
        "maxItems": most_points,
    }
    ids = {"flight_id": id_schema("The sender's own name of the flight."), "device_id": id_schema("What recorded it.")}
    if kind is SCORING:
        ids["flight_uuid"] = {"type": ["string", "null"], "format": "uuid", "description": "The flight."}
    return {
        "type": "object",
        "description": "Points of one flight. Further fields are ignored.",
        "properties": {**ids, name: points},
        "required": [name],
        "anyOf": [_has(each) for each in _identifying(kind)],
        "examples": [body_example(kind)],
    }


def _identifying(kind: Kind) -> tuple[str, ...]:
    """The fields of which one must say whose the points are."""
    if kind is SCORING:
        return ("flight_uuid", "flight_id")
    return ("flight_id", "device_id") if kind is LIVE else ("flight_id",)


def _has(name: str) -> Schema:
    return {"required": [name], "properties": {name: {"type": "string"}}}


def id_schema(description: str) -> Schema:
    """An id that a sender chose."""
    return {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": ID_BYTES,
        "pattern": _NO_NUL,
        "description": f"{description} At most {ID_BYTES} bytes of UTF-8, without NUL.",
    }


def body_example(kind: Kind) -> Schema:
    """A body that is accepted."""
    whose = {"flight_uuid": "0a4ae3c2-2d0a-5f5e-8f0e-0f6f4a1c2b3d"} if kind is SCORING else {"flight_id": "task-3-pilot-42"}
    return {**whose, "device_id": "phone-42", points_field(kind): [point_example(kind)]}


def point_example(kind: Kind) -> Schema:
    """A point with every field."""
    return {column.json: _example(column) for column in kind.columns}


def _example(column: Column) -> object:
    return _BY_NAME.get(column.name) or _BY_UNIT.get(column.unit) or _BY_TYPE[column.type]


def _column(column: Column) -> Schema:
    match column.type:
        case ColumnType.TIME:
            schema = _time(column)
        case ColumnType.TEXT:
            schema = _text(column)
        case ColumnType.BOOL:
            schema = {"type": "boolean"}
        case _:
            schema = _number(column)
    notes = [f"{column.description}, {column.unit}" if column.unit else column.description, schema.pop("description", "")]
    described = {**schema, "description": ". ".join(filter(None, notes)).removesuffix(".") + "."}
    return described if column.required else _nullable(described)


def _number(column: Column) -> Schema:
    schema: Schema = {"type": "integer" if column.type is ColumnType.INT else "number"}
    if column.minimum is not None and not column.negative_is_unknown:
        schema["minimum"] = column.minimum
    if column.maximum is not None:
        schema["maximum"] = column.maximum
    return {**schema, "description": _NEGATIVE} if column.negative_is_unknown else schema


def _text(column: Column) -> Schema:
    note = f"At most {column.max_bytes} bytes of UTF-8, without NUL"
    return {"type": "string", "maxLength": column.max_bytes, "pattern": _NO_NUL, "description": note}


def _time(column: Column) -> Schema:
    text = {
        "type": "string",
        "format": "date-time",
        "pattern": _TIME_TEXT,
        "maxLength": LONGEST,
        "description": "ISO 8601 with an offset from UTC; microseconds are kept.",
    }
    seconds: Schema = {"type": "number", "minimum": FIRST_S, "exclusiveMaximum": END_S, "description": "Unix seconds."}
    if not column.required:
        return {"anyOf": [text, seconds]}
    start = POWER_UP_DAY // _SECOND_US
    seconds["minimum"] = FIRST_TIME // _SECOND_US
    seconds["not"] = {"minimum": start, "exclusiveMaximum": start + DAY_US // _SECOND_US}
    return {"anyOf": [text, seconds], "description": _WINDOW}


def _nullable(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}
