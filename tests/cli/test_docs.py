"""The documents name every command that there is, and no command that there is not."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pointq.cli.main import app

PROJECT = Path(__file__).parents[2]
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown(command: str) -> None:
    text = "\n".join(path.read_text("utf8") for path in DOCUMENTS)

    assert re.search(rf"pointq {command}\b", text)


def test_no_command_is_made_up() -> None:
    # `pointq COMMAND` in code only: prose says "pointq takes", "pointq is"
    for path in DOCUMENTS:
        for code in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", path.read_text("utf8"), re.DOTALL):
            for command in re.findall(r"(?:^|\s)pointq ([a-z]+)\b", "\n".join(code), re.MULTILINE):
                assert command in COMMANDS, f"{path.name}: pointq {command}"
