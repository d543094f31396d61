"""The compose file as `docker-compose config` resolves it, which needs no engine."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from pointq.cli.main import app
from tests.support.needs import missing

DOCKER = Path(__file__).parents[2] / "contrib" / "docker"
COMPOSE_FILE = DOCKER / "compose.yaml"
EXAMPLE = DOCKER / ".env.example"

Service = dict[str, Any]


def resolved() -> dict[str, Any]:
    """All of it, the profiles too, with the variables of the example; without docker-compose the test cannot run."""
    program = os.environ.get("POINTQ_TEST_COMPOSE") or shutil.which("docker-compose")
    if program is None:
        missing("docker-compose is not here; .ci/compose fetches it, and POINTQ_TEST_COMPOSE names it")
    done = subprocess.run(
        (program, "--file", COMPOSE_FILE, "--env-file", EXAMPLE, "--profile", "monitoring", "config"),
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = yaml.safe_load(done.stdout)
    assert isinstance(document, dict)
    return document


def as_in_the_container(text: str) -> str:
    """What a command is once compose has passed it on: it prints a dollar twice, as it reads it."""
    return text.replace("$$", "$")


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """What the command line understands; an error where it does not."""
    command: Any = get_command(app)
    context, rest = None, list(arguments)
    while True:
        context = command.make_context(command.name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            parameters: dict[str, Any] = context.params
            return parameters
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
