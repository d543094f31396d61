"""Each test has a data folder of its own, and leaves no process behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointq.embedded import use
from pointq.embedded.layout import Layout
from pointq.embedded.waiting import wait_until
from tests.embedded.commands import COMMAND, PROJECT, Command, Start, gone, said
from tests.support.programs import folder_of_a_server
from tests.support.until import PATIENCE_SECONDS


@pytest.fixture
def place() -> Iterator[Path]:
    with folder_of_a_server("pointq-test-") as folder:
        yield folder


@pytest.fixture(scope="session")
def used() -> Iterator[Path]:
    """A copy of a data folder that has been used once: a database is made in half a second, and copied in a tenth."""
    with folder_of_a_server("pointq-test-") as folder:
        with use(folder / "data"):
            pass
        for log in folder.glob("data/*.log"):
            log.unlink()
        yield folder / "data"


@pytest.fixture
def fresh(place: Path) -> Iterator[Layout]:
    """A data folder that does not exist yet; when the test is over no process of its servers may be left."""
    layout = Layout(place / "data")
    yield layout
    assert wait_until(lambda: gone(layout), PATIENCE_SECONDS), f"servers are left:\n{said(layout)}"


@pytest.fixture
def layout(fresh: Layout, used: Path) -> Layout:
    """The same, of a folder that has been used before."""
    shutil.copytree(used, fresh.data_dir)
    return fresh


@pytest.fixture
def command(fresh: Layout) -> Iterator[Start]:
    """Start a command, by default one of this user on this test's folder, and wait for its word."""
    started: list[Command] = []

    def start(*, data_dir: Path = fresh.data_dir, python: str = sys.executable, listen: bool = True, **options: Any) -> Command:
        path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, **options.pop("env", {})}
        command = Command(
            subprocess.Popen(
                (python, "-c", COMMAND, str(data_dir)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                **options,
            )
        )
        started.append(command)
        return command.listen() if listen else command

    yield start
    for left in started:
        if left.process.returncode is None:
            left.kill()
