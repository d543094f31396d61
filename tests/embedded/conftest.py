"""Each test has a data folder of its own, and leaves no process behind."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pointq.embedded import use
from pointq.embedded.layout import Layout
from pointq.embedded.waiting import wait_until
from tests.embedded.commands import COMMAND, PROJECT, Command, Start, gone, said
from tests.support.until import PATIENCE_SECONDS


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach, like /var/lib; in memory if there is room: every database has 50 MB."""
    memory = Path("/dev/shm")  # noqa: S108 - a name of our own in it follows
    fit = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    with tempfile.TemporaryDirectory(prefix="pointq-test-", dir=memory if fit else None) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def used() -> Iterator[Path]:
    """A copy of a data folder that has been used once: a database is made in half a second, and copied in a tenth."""
    with open_folder() as folder:
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
