"""Servers whose keeper was killed: they are stopped before anything else touches their data."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from pointq.embedded.layout import Layout
from pointq.embedded.locks import Lock
from pointq.embedded.waiting import wait_until
from pointq.errors import EmbeddedError

STOP_SECONDS = 15.0
KILL_SECONDS = 5.0


def stop(layout: Layout, servers: Lock) -> None:
    """Return when no process of earlier servers is left, with `servers` (their lock) held exclusively.

    On Linux they are already stopping: the kernel told them of the keeper's end.

    Raises:
        EmbeddedError: they live on, which takes a process in an uninterruptible wait.
    """
    if servers.exclusive():
        return
    _signal(layout, postgres=signal.SIGINT, valkey=signal.SIGTERM)
    if wait_until(servers.exclusive, STOP_SECONDS):
        return
    _signal(layout, postgres=signal.SIGQUIT, valkey=signal.SIGKILL)
    if not wait_until(servers.exclusive, KILL_SECONDS):
        raise EmbeddedError(
            f"servers of an earlier start still run in {layout.data_dir} and do not stop",
            hint=f"end the processes that hold {layout.servers_lock} open",
        )


def _signal(layout: Layout, *, postgres: signal.Signals, valkey: signal.Signals) -> None:
    for pid_file, folder, number in (
        (layout.postgres_pid, layout.postgres, postgres),
        (layout.valkey_pid, layout.valkey, valkey),
    ):
        pid = _pid_in(pid_file)
        if pid > 1 and os.fsencode(folder) in _command_line(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _pid_in(path: Path) -> int:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _command_line(pid: int) -> bytes:
    """Look up what a process was started with, empty if it is gone: its number may long be another's."""
    if Path("/proc/self").is_dir():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return b""
    command = ("ps", "-ww", "-o", "command=", "-p", str(pid))
    return subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603 - a number is all that varies
