"""The documents name every command that there is, and no command that there is not."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pointq.cli.commands.import_ import HELP
from pointq.cli.main import app
from pointq.formats.detect import FORMATS, SUFFIXES, Format

PROJECT = Path(__file__).parents[2]
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown(command: str) -> None:
    text = "\n".join(path.read_text("utf8") for path in DOCUMENTS)

    assert re.search(rf"pointq {command}\b", text)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_every_format_is_named_where_a_user_looks_first(known: Format) -> None:
    word = known.name.partition("-")[0]
    for text in (HELP, (PROJECT / "README.md").read_text("utf8"), (PROJECT / "docs" / "import.md").read_text("utf8")):
        assert re.search(rf"\b{word}\b", text, re.IGNORECASE)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_suffix_that_is_taken_out_of_a_folder_is_told(suffix: str) -> None:
    assert f"`{suffix}`" in (PROJECT / "docs" / "import.md").read_text("utf8")


def test_no_command_is_made_up() -> None:
    # `pointq COMMAND` in code only: prose says "pointq takes", "pointq is"
    for path in DOCUMENTS:
        for code in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", path.read_text("utf8"), re.DOTALL):
            for command in re.findall(r"(?:^|\s)pointq ([a-z]+)\b", "\n".join(code), re.MULTILINE):
                assert command in COMMANDS, f"{path.name}: pointq {command}"
