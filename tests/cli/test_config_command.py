import json
import stat
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def _line(result: subprocess.CompletedProcess[str], key: str) -> list[str]:
    return next(line.split(maxsplit=2) for line in result.stdout.splitlines() if line.startswith(f"{key} "))


def test_show_says_where_each_value_came_from(run_pointq: Run, home: Path) -> None:
    (home / "pointq.toml").write_text("[serve]\nport = 9000\n")

    result = run_pointq("config", "show", DATABASE_URL="postgresql://me:hush@db/points")

    assert result.returncode == 0
    assert _line(result, "serve.port") == ["serve.port", "9000", "./pointq.toml"]
    assert _line(result, "serve.host") == ["serve.host", "127.0.0.1", "default"]
    assert _line(result, "database.url") == ["database.url", "postgresql://me:***@db/points", "environment DATABASE_URL"]


def test_show_as_json(run_pointq: Run, home: Path) -> None:
    (home / "mine.toml").write_text('[flymaster]\nsecret = "hush"\n')

    result = run_pointq("--config", "mine.toml", "config", "show", "--json", POINTQ_WORK__PROCESSES="3")
    document = json.loads(result.stdout)

    assert result.stdout.count("\n") == 1
    assert document["settings"]["work.processes"] == {"value": 3, "origin": "environment POINTQ_WORK__PROCESSES"}
    assert document["settings"]["flymaster.secret"] == {"value": "***", "origin": "mine.toml"}
    assert document["files"] == [str(home / "mine.toml")]


def test_show_prints_no_secret_whatever_is_wrong(run_pointq: Run) -> None:
    secrets = {"REDIS_PASSWORD": "hush==", "POINTQ_FLYMASTER__SECRET": "hush://", "DATABASE_URL": "host=db password='hush'"}

    for extra in ({}, {"REDIS_URL": "http://:hush@cache"}, {"DATABASE_URL": "hush"}, {"REDIS_PORT": "none"}):
        for option in ("show", "show --json"):
            result = run_pointq("--debug", "config", *option.split(), **(secrets | extra))
            assert "hush" not in result.stdout + result.stderr


def test_a_wrong_setting_ends_with_code_2(run_pointq: Run) -> None:
    result = run_pointq("config", "show", POINTQ_SERVE__PORT="high")

    assert result.returncode == 2
    assert result.stderr == (
        'pointq: error: the setting serve.port is "high" (from environment POINTQ_SERVE__PORT); expected a valid integer\n'
        "hint: correct POINTQ_SERVE__PORT\n"
    )


def test_show_cannot_be_steered_by_a_value(run_pointq: Run) -> None:
    assert "\x1b" not in run_pointq("config", "show", REDIS_HOST="a\x1b[2Jb").stdout


def test_init_writes_a_file_that_changes_nothing(run_pointq: Run, home: Path) -> None:
    result = run_pointq("config", "init")

    written = home / "pointq.toml"
    assert (result.returncode, result.stdout) == (0, "")
    assert "wrote pointq.toml" in result.stderr
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert not any(tomllib.loads(written.read_text()).values())
    assert "./pointq.toml" not in run_pointq("config", "show").stdout


def test_every_line_of_the_written_file_works(run_pointq: Run, home: Path) -> None:
    run_pointq("config", "init", "--path", "all.toml")
    lines = (home / "all.toml").read_text().splitlines()
    settings = [line.removeprefix("# ") for line in lines if " = " in line or line.startswith("[")]
    (home / "all.toml").write_text("\n".join(settings))

    result = run_pointq("--config", "all.toml", "config", "show")

    assert result.returncode == 0, result.stderr
    assert all(line.endswith("all.toml") for line in result.stdout.splitlines())


def test_init_replaces_only_when_told(run_pointq: Run, home: Path) -> None:
    (home / "pointq.toml").write_text("prod = true\n")

    refused = run_pointq("config", "init")
    assert refused.returncode == 1
    assert refused.stderr.startswith("pointq: error: pointq.toml is there already\nhint: --force")
    assert (home / "pointq.toml").read_text() == "prod = true\n"

    assert run_pointq("config", "init", "--force").returncode == 0
    assert "# prod = false" in (home / "pointq.toml").read_text()


def test_init_says_why_it_cannot_write(run_pointq: Run) -> None:
    result = run_pointq("config", "init", "--path", "nowhere/pointq.toml")

    assert result.returncode == 1
    assert result.stderr.startswith("pointq: error: nowhere/pointq.toml cannot be written: No such file or directory\n")
