"""A name server that hangs holds back no command that only looks, neither its answer nor the end of its process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sites import clean_environ

HANGING = """
import socket, sys, threading
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
from pointq.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
ENVIRON = {"POINTQ_REDIS__URL": "redis://redis.invalid", "POINTQ_DATABASE__URL": "postgresql://db.invalid/x"}


@pytest.mark.parametrize(
    ("command", "code"),
    [("doctor", 1), ("status", 0), ("check", 2), ("flights", 3), ("db status", 3), ("inspect", 3), ("replay", 3)],
)
def test_the_process_ends(command: str, code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-c", HANGING, *command.split(), "--json"),
        env=clean_environ(tmp_path) | ENVIRON,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,  # the name server hangs for ever
        check=False,
    )

    assert done.returncode == code
    assert b".invalid" in done.stdout + done.stderr or b"no answer" in done.stdout
    assert b"Traceback" not in done.stderr
