"""A Valkey of a test's own, to be filled, frozen or configured as the shared one must not be."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pointq.embedded import wheels
from pointq.errors import EmbeddedError
from tests.support.needs import missing
from tests.support.until import until

_ANSWER_SECONDS = 5.0


class Valkey:
    """A server on a socket that only this user can reach."""

    def __init__(self, **settings: str) -> None:
        try:
            self._program = wheels.find().valkey
        except EmbeddedError as exc:
            missing(exc.message)
        self.folder = Path(tempfile.mkdtemp(prefix="pq-valkey-"))
        self._path = self.folder / "s"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    def start(self) -> None:
        """Start it, or start it again with what its disk holds."""
        options = {"port": "0", "unixsocket": str(self._path), "dir": str(self.folder), "save": "", "logfile": "log"}
        words = [word for name, value in (options | self._settings).items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen((str(self._program), *words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: _answers(self._path), "the server listens")

    def kill(self) -> None:
        """Kill it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def valkey(**settings: str) -> Iterator[str]:
    """Start a server with those settings; hand out its URL; stop it."""
    with restartable(**settings) as server:
        yield server.url


@contextmanager
def restartable(**settings: str) -> Iterator[Valkey]:
    """Start a server with those settings and stop it behind the block."""
    server = Valkey(**settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(server.folder)


def _answers(path: Path) -> bool:
    """Whether commands are taken: a server listens before it has looked at its files."""
    with socket.socket(socket.AF_UNIX) as line:
        if line.connect_ex(str(path)) != 0:
            return False
        line.settimeout(_ANSWER_SECONDS)
        with suppress(OSError):
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        return False
