"""A command in a terminal: what it asks is answered."""

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.support.sites import Site
from tests.support.terminal import START
from tests.support.until import PATIENCE_SECONDS, until


def ask(site: Site, *arguments: str, question: str, answer: str) -> tuple[int, str]:
    """Run a command, answer its question, and return its exit code and all that it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        (sys.executable, "-c", START, sys.executable, "-m", "pointq", *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**site.environ, "TERM": "xterm", "COLUMNS": "100"},
        cwd=site.home,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = _read(ours, question)
        # a signal between the question and the read is heard only behind the read: Python's own race, and no person's
        until(lambda: _sleeps(process.pid), "the command waits for the answer")
        os.write(ours, answer.encode())
        shown += _read(ours, None)
        return process.wait(PATIENCE_SECONDS), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _sleeps(process: int) -> bool:
    """Whether it waits in a system call, where the system tells."""
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "S"


def _read(terminal: int, text: str | None) -> str:
    """Read until a text was shown, or the command has ended."""
    shown, end = b"", time.monotonic() + PATIENCE_SECONDS
    while text is None or text.encode() not in shown:
        assert select.select([terminal], [], [], max(end - time.monotonic(), 0))[0], f"not shown: {text}\n{shown.decode()}"
        data = b""
        with suppress(OSError):  # Linux says EIO when the other side is closed
            data = os.read(terminal, 4096)
        if not data:
            assert text is None, f"it ended before it asked:\n{shown.decode()}"
            break
        shown += data
    return shown.decode()
