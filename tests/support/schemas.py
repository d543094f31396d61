"""The schemas of what `--json` prints, in docs/schemas."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def check_against(command: str, document: Any) -> None:
    """Check a document against the schema of that command, whose every key is described; the message says where it differs."""
    errors = [f"{error.json_path}: {error.message}" for error in _validator(command).iter_errors(document)]
    assert not errors, "\n".join(errors)


@cache
def _validator(command: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{command}.schema.json").read_text("utf8"))
    Draft202012Validator.check_schema(schema)
    for part in _objects(schema):
        assert part["additionalProperties"] is False or "description" in part["additionalProperties"], part
        assert all("description" in value for value in part["properties"].values()), part
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object of a fixed form in a schema."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)
