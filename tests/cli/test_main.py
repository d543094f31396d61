import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

WITH_COMMAND = """
import sys
import typer
from pointq import errors
from pointq.cli import main
from pointq.cli.context import print_json

@main.app.command()
def probe() -> int | None:
    {body}

main.main()
"""


@pytest.fixture
def run_probe(run_python: Run) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(body: str, *options: str) -> subprocess.CompletedProcess[str]:
        return run_python("-c", WITH_COMMAND.format(body=body), *options, "probe")

    return run


def test_help_leads_with_examples(run_pointq: Run) -> None:
    result = run_pointq("--help")

    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.index("pointq serve ") < result.stdout.index("Options:")


def test_the_list_of_commands_cuts_nothing(run_pointq: Run) -> None:
    _, _, commands = run_pointq("--help").stdout.partition("Commands:\n")

    assert "What was imported before is" in commands
    assert "..." not in commands


def test_nothing_typed_is_help(run_pointq: Run) -> None:
    assert run_pointq().stdout == run_pointq("--help").stdout


def test_version(run_pointq: Run) -> None:
    result = run_pointq("--version")

    assert result.returncode == 0
    assert result.stdout.startswith("pointq ")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("confg", "show"), "no such command 'confg'. Did you mean 'config'?", "see `pointq --help`"),
        (("config",), "missing command", "see `pointq config --help`"),
        (("config", "show", "--jsn"), "no such option: --jsn (Possible options: --json)", "see `pointq config show --help`"),
        (("--config",), "option '--config' requires an argument", "see `pointq --help`"),
        (("config", "show", "a\x1b]\n"), r"got unexpected extra argument(s) (a\x1b]\x0a)", "see `pointq config show --help`"),
    ],
)
def test_wrong_usage_is_one_line_and_a_hint(run_pointq: Run, arguments: tuple[str, ...], message: str, hint: str) -> None:
    result = run_pointq(*arguments)

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == f"pointq: error: {message}\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [("PointqError", 1), ("UsageError", 2), ("ConfigError", 2), ("RedisError", 3), ("WaitTimeout", 4), ("FormatError", 1)],
)
def test_our_errors_carry_their_exit_code(run_probe: Run, error: str, code: int) -> None:
    result = run_probe(f"raise errors.{error}('no luck', hint='try again')")

    assert result.returncode == code
    assert result.stderr == "pointq: error: no luck\nhint: try again\n"


def test_an_unexpected_error_is_one_line(run_probe: Run) -> None:
    result = run_probe("raise ValueError('bad\\nluck')")

    assert result.returncode == 1
    assert result.stderr.startswith("pointq: error: unexpected ValueError: bad luck\nhint: ")
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback(run_probe: Run) -> None:
    result = run_probe("raise ValueError('bad luck')", "--debug")

    assert result.returncode == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "\npointq: error: unexpected ValueError: bad luck\n" in result.stderr


@pytest.mark.parametrize("signal", ["raise KeyboardInterrupt", "raise typer.Abort"])
def test_an_interruption_is_quiet(run_probe: Run, signal: str) -> None:
    result = run_probe(signal)

    assert (result.returncode, result.stderr) == (130, "")


def test_a_command_may_choose_its_exit_code(run_probe: Run) -> None:
    assert run_probe("return errors.ExitCode.REJECTS").returncode == 5


@pytest.mark.parametrize("output", ["print_json({'points': 1})", "typer.echo('x' * 1_000_000)", "print('x')"])
def test_a_reader_that_goes_away_is_no_error(output: str, clean_environ: dict[str, str], home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITH_COMMAND.format(body=output), "probe"],
        cwd=home,
        env=clean_environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_json_is_one_line_with_plain_times(run_probe: Run) -> None:
    result = run_probe(
        "import datetime as d, pathlib; print_json({'time': d.datetime(2026, 5, 1, tzinfo=d.UTC), 'at': pathlib.Path('/a')})"
    )

    assert result.stdout == '{"time":"2026-05-01T00:00:00Z","at":"/a"}\n'


def test_json_refuses_what_has_no_form_of_its_own(run_probe: Run) -> None:
    result = run_probe("print_json(object())")

    assert result.returncode == 1
    assert "not JSON serializable" in result.stderr


def test_logging_follows_the_global_options(run_python: Run) -> None:
    script = """
import logging, typer
from pointq.cli import main
from pointq.cli.context import app_context

@main.app.command()
def probe(ctx: typer.Context) -> None:
    app_context(ctx).load_config()
    logging.getLogger("probe").debug("hello")

main.main()
"""
    result = run_python("-c", script, "--log-level", "debug", "--log-format", "json", "probe")

    assert json.loads(result.stderr)["message"] == "hello"
    assert result.stdout == ""


def test_consoles_write_plain_text_off_a_terminal(run_python: Run) -> None:
    script = """
from pointq.cli.context import AppContext

AppContext().out.print("[red]" + "d" * 200 + "[/red]")
AppContext().err.print("[bold]note[/bold]")
"""
    result = run_python("-c", script, TERM="xterm-256color")

    assert result.stdout == "d" * 200 + "\n"
    assert result.stderr == "note\n"
