"""Commands as separate processes, and what can be seen of their servers from outside."""

import json
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pointq.embedded import Backends, state
from pointq.embedded.layout import Layout
from pointq.embedded.locks import Lock
from tests.support.until import PATIENCE_SECONDS

PROJECT = Path(__file__).parents[2]
NOBODY = pwd.getpwnam("nobody").pw_uid
STRANGER = 12345
"""A user id that has nothing to do with anything."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for several users")
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into /proc, which this system lacks")

COMMAND = """
import json, os, signal, sys
from pathlib import Path
from pointq.embedded import use
from pointq.errors import PointqError
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs deaf to it
try:
    with use(Path(sys.argv[1])) as backends:
        print(json.dumps({"urls": [backends.redis_url, backends.database_url]}), flush=True)
        sys.stdin.read()
except PointqError as exc:
    print(json.dumps({"error": exc.message, "hint": exc.hint}), flush=True)
"""
"""A command of pointq's that lives until its standard input ends."""


@dataclass
class Command:
    """A process that uses the servers."""

    process: subprocess.Popen[str]
    said: dict[str, Any] = field(default_factory=dict)

    def listen(self) -> "Command":
        assert self.process.stdout
        self.said = json.loads(self.process.stdout.readline() or "{}")
        return self

    @property
    def backends(self) -> Backends:
        assert "urls" in self.said, self.said
        return Backends(*self.said["urls"])

    @property
    def error(self) -> str:
        assert "error" in self.said, self.said
        return f"{self.said['error']} | {self.said['hint']}"

    def let_go(self) -> None:
        """Have it end in good order, without waiting."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.stdin = None

    def end(self) -> dict[str, Any]:
        """End it in good order; what it said last."""
        last, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return dict(json.loads(last)) if last else {}

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Command]


def gone(layout: Layout) -> bool:
    """Whether neither a keeper nor a process of the servers is left."""
    if not layout.keeper_lock.exists():
        return True
    with Lock(layout.keeper_lock) as keeper, Lock(layout.servers_lock) as servers:
        return keeper.shared() and servers.shared()


def said(layout: Layout) -> str:
    """The keeper's log."""
    return layout.keeper_log.read_text() if layout.keeper_log.exists() else ""


def keeper_pid(layout: Layout) -> int:
    found = state.read(layout)
    assert found
    return found.keeper


def pid_in(path: Path) -> int:
    return int(path.read_text().split()[0])


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
