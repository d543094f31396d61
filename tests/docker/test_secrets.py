"""What makes the passwords of the compose file."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.compose import DOCKER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the script alone."""
    shutil.copy(DOCKER / "secrets.sh", tmp_path)
    return tmp_path


def make(folder: Path, expect: int = 0, **environ: str) -> str:
    done = subprocess.run(
        (folder / "secrets.sh",), env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def secret(folder: Path, name: str) -> str:
    return (folder / "secrets" / name).read_text("utf8")


def test_every_secret_of_the_compose_file_is_made(compose: dict[str, Any], folder: Path) -> None:
    make(folder)

    files = {Path(secret["file"]).relative_to(DOCKER) for secret in compose["secrets"].values()}
    assert files == {path.relative_to(folder) for path in (folder / "secrets").iterdir()}
    assert urlsplit(secret(folder, "database_url")).password == secret(folder, "database_password")
    passwords = [secret(folder, name) for name in ("redis_password", "database_password", "grafana_password")]
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) == 48 for password in passwords)


def test_nobody_else_may_enter_and_containers_may_read(folder: Path) -> None:
    make(folder)

    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (folder / "secrets").iterdir()} == {0o644}


def test_what_is_there_stays_and_nothing_secret_is_shown(folder: Path) -> None:
    first = make(folder)
    passwords = secret(folder, "redis_password"), secret(folder, "database_url")
    again = make(folder)

    assert passwords == (secret(folder, "redis_password"), secret(folder, "database_url"))
    assert not any(password in first + again for password in passwords)


def test_passwords_of_ones_own(folder: Path) -> None:
    (folder / ".env").write_text("REDIS_PORT=\nREDIS_PASSWORD=of-the-file\n")
    make(folder, POSTGRES_PASSWORD="of-the-shell")

    assert secret(folder, "redis_password") == "of-the-file"
    assert secret(folder, "database_url") == "postgresql://pointq:of-the-shell@database:5432/points"


def test_a_password_that_would_break_a_url_is_refused(folder: Path) -> None:
    assert "letters, digits" in make(folder, expect=2, POSTGRES_PASSWORD="a@b")
    assert not list((folder / "secrets").iterdir())
