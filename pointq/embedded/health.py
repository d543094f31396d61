"""Whether the servers answer, asked without a client library."""

import socket
from pathlib import Path

from pointq.embedded.layout import Layout
from pointq.embedded.state import POSTGRES_SOCKET, VALKEY_SOCKET

REPLY_SECONDS = 1.0
_STATUS_LINE = 7
"""The eighth line of postmaster.pid is PostgreSQL's own word on its state (`LOCK_FILE_LINE_PM_STATUS`)."""


def valkey_ready(socket_dir: Path) -> bool:
    """Whether Valkey answers PING with PONG; while it loads its file it answers `-LOADING`."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(REPLY_SECONDS)
        try:
            client.connect(str(socket_dir / VALKEY_SOCKET))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def postgres_ready(layout: Layout, socket_dir: Path) -> bool:
    """Whether PostgreSQL says that it is ready, and really is there: a killed one leaves its file behind."""
    try:
        lines = layout.postgres_pid.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready" and _accepts(socket_dir / POSTGRES_SOCKET)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(REPLY_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
