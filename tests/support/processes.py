"""pointq as a process beside the test: started, watched through its output, stopped in good order or killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.http import Client
from tests.support.until import PATIENCE_SECONDS, until

_ADDRESS = re.compile(r"https?://[^\s/]+")
_SHOWN_CHARACTERS = 400


class Running:
    """A pointq process, in a process group of its own so that nothing of it outlives the test.

    The `with` block ends it: in good order, and it must then have ended well, unless it was killed or the test failed.
    """

    def __init__(self, arguments: tuple[str, ...], *, environ: Mapping[str, str], folder: Path, name: str) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "pointq", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environ,
                cwd=folder,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None and self.process.returncode is None:
                self.stop()
        finally:
            self.kill()

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return self._log.read_text()

    def stop(self) -> None:
        """Ask it to end, as a service manager does, and check that it ended well."""
        self.process.terminate()
        self.ended_well()

    def ended_well(self) -> None:
        """Wait for its end."""
        code = self.process.wait(PATIENCE_SECONDS)
        assert code == 0, f"exit code {code}:\n{self.log}"
        defects = [line[:_SHOWN_CHARACTERS] for line in self.log.splitlines() if "Traceback" in line]
        assert not defects, "\n".join(defects)

    def kill(self, *, children: bool = True) -> None:
        """Kill it at once, with or without the processes that it started."""
        with suppress(ProcessLookupError):
            if children:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


class Server(Running):
    """A `pointq serve`, ready when the constructor returns."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        *,
        environ: Mapping[str, str],
        folder: Path,
        name: str,
        trusted: Path | None = None,
    ) -> None:
        self._trusted = trusted
        super().__init__(("serve", "--port", "0", "--no-worker", *arguments), environ=environ, folder=folder, name=name)
        try:
            self.url = until(self._address, "pointq serve says where it listens")
            until(self._ready, f"{self.url}/readyz answers 200")
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def client(self) -> Client:
        """Return a connection, to be closed by its user."""
        return Client(self.url, self._trusted)

    def _address(self) -> str:
        assert self.process.poll() is None, self.log
        found = _ADDRESS.search(self.log)
        return found[0] if found else ""

    def _ready(self) -> bool:
        with suppress(OSError), self.client() as client:
            return client.get("/readyz").status == 200
        return False
