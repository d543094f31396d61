"""A Valkey of a test's own, to be filled, frozen or configured as the shared one must not be."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointq.embedded import wheels
from pointq.errors import EmbeddedError
from tests.support.needs import missing
from tests.support.until import until


@contextmanager
def valkey(**settings: str) -> Iterator[str]:
    """Start a server with those settings on a socket that only this user can reach; hand out its URL; stop it."""
    try:
        program = wheels.find().valkey
    except EmbeddedError as exc:
        missing(exc.message)
    folder = Path(tempfile.mkdtemp(prefix="pq-valkey-"))
    path = folder / "s"
    options = {"port": "0", "unixsocket": str(path), "dir": str(folder), "save": "", "logfile": "log", **settings}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen((str(program), *words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _answers(path), "the server listens")
        yield f"unix://{path}"
    finally:
        os.kill(process.pid, 9)
        process.wait()
        shutil.rmtree(folder)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(path)) == 0
