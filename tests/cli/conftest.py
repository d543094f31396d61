"""Runs pointq as a user does: another process, of which only arguments, environment, output and exit code are seen."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
RunPointq = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home in which nothing is set."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def clean_environ(home: Path) -> dict[str, str]:
    """The environment without any setting of pointq's; coverage measures other processes too."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PATH", "LANG", "LC_"))}
    return kept | {"HOME": str(home)}


@pytest.fixture
def run_python(clean_environ: dict[str, str], home: Path) -> RunPointq:
    """Run the interpreter with arguments, in the user's home."""

    def run(*arguments: str, **environ: str) -> Result:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=home,
            env=clean_environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def run_pointq(run_python: RunPointq) -> RunPointq:
    """Run pointq with arguments and, as keywords, environment variables."""

    def run(*arguments: str, **environ: str) -> Result:
        return run_python("-m", "pointq", *arguments, **environ)

    return run
