"""The settings file to start from: every setting, described, commented out at its default."""

import json
import textwrap
from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pointq.config.layers import variable
from pointq.config.settings import sections, spelled

WIDTH = 100
"""Longest line of the file, in characters."""

HEADER = """\
# Settings of pointq. Take away the # before a line to change what stands there; `pointq config show` says what is in force.
#
# Every setting can also be given in the environment (POINTQ_SERVE__PORT for port in [serve]), which stands above this file.
"""


def template() -> str:
    """Return a settings file that changes nothing, derived from the settings' own descriptions."""
    return "\n".join([HEADER, *_lines()])


def _lines() -> Iterator[str]:
    tables = sections()
    for table, section in tables.items():
        if table:
            yield from (f"[{table}]", f"# {section.__doc__}", "")
        for name, field in section.model_fields.items():
            if table or name not in tables:
                yield from _setting(f"{table}.{spelled(name)}".lstrip("."), spelled(name), field)


def _setting(key: str, name: str, field: FieldInfo) -> Iterator[str]:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        default = None
    note = f"{field.description}{'' if default is not None else ' (not set)'}. {variable(key)}"
    yield from textwrap.wrap(note, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
    yield f"# {name} = {_toml((field.examples or [''])[0] if default in {None, ()} else default)}"
    yield ""


def _toml(value: object) -> str:
    """Write a value as TOML, whose numbers, booleans, lists and quoted texts are those of JSON."""
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_toml(each)}' for name, each in value.items())} }}"
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))
