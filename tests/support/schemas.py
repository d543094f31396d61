"""The schemas of what `--json` prints, in docs/schemas."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def check_against(command: str, document: Any) -> None:
    """Check a document against the schema of that command; the message says where it differs."""
    errors = [f"{error.json_path}: {error.message}" for error in _validator(command).iter_errors(document)]
    assert not errors, "\n".join(errors)


@cache
def _validator(command: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{command}.schema.json").read_text("utf8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
