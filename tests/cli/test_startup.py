import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = {"aiohttp", "numpy", "psycopg", "pydantic", "redis", "rich", "uvloop"}

LOADED_MODULES = """
import sys
from pointq.cli.main import run

code = run(sys.argv[1:])
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
sys.exit(code)
"""

BARE_PROGRAM = """
import typer

app = typer.Typer()

@app.command()
def one() -> None: ...

@app.command()
def two() -> None: ...

app()
"""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_asking_for_help_loads_nothing_heavy(run_python: Run, option: str) -> None:
    result = run_python("-c", LOADED_MODULES, option)

    assert result.returncode == 0
    assert HEAVY & set(result.stderr.split()) == set()


def test_the_help_of_a_command_loads_what_typer_needs_and_no_more(run_python: Run) -> None:
    result = run_python("-c", LOADED_MODULES, "config", "show", "--help")

    assert result.returncode == 0
    assert HEAVY & set(result.stderr.split()) == {"pydantic"}


def test_help_takes_at_most_twice_as_long_as_that_of_a_bare_program(tmp_path: Path) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text(BARE_PROGRAM)

    assert _fastest([sys.executable, "-m", "pointq", "--help"]) < 2 * _fastest([sys.executable, str(bare), "--help"])


def _fastest(command: list[str]) -> float:
    """Return the processor's seconds of the fastest of a few runs, whatever else runs on the machine; without coverage."""
    return min(_seconds(command) for _ in range(5))


def _seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={}, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
