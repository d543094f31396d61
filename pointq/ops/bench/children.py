"""pointq's processes as they are mistreated: started as a user starts them, killed, frozen, and started again."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pointq.errors import PointqError, WaitTimeout

_ADDRESS = re.compile(r"http://[^\s/]+")
_READS = " reads "
"""In the first line of a worker that has reached its servers."""
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.02


class Child:
    """One process, what it says in a file. `end` may be called twice."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, arguments: tuple[str, ...], environ: Mapping[str, str], log: Path) -> "Child":
        """Start ``pointq`` with those arguments."""
        with log.open("ab") as said:
            # a session of its own: a Ctrl-C on the terminal reaches this process alone, which ends the other in order
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "pointq", *arguments),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=said,
                env=environ,
                start_new_session=True,
            )
        return cls(process, log)

    async def listens(self) -> str:
        """The address of a server, once it listens. Raises PointqError where it does not."""
        return await self._says(_ADDRESS)

    async def works(self) -> None:
        """Wait for a worker to have reached its servers. Raises PointqError where it does not."""
        await self._says(re.compile(_READS))

    def freeze(self) -> None:
        """Stop it where it stands."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    async def kill(self) -> None:
        """Kill it at once."""
        self._send(signal.SIGKILL)
        await self._process.wait()

    async def end(self) -> None:
        """Let it finish and end; kill it where it does not."""
        self.thaw()
        self._send(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    def _send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def _says(self, what: re.Pattern[str]) -> str:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not (found := what.search(self._log.read_text("utf8", "replace"))):
                    if self._process.returncode is not None:
                        raise PointqError(f"a process of the benchmark did not start: {self._last_line()}", hint=self._where())
                    await asyncio.sleep(_LOOK_SECONDS)
                return found[0]
        except TimeoutError as exc:
            raise WaitTimeout(
                f"a process of the benchmark says nothing after {_START_SECONDS:g} s: {self._last_line()}", hint=self._where()
            ) from exc

    def _where(self) -> str:
        return f"what it said is in {self._log}"

    def _last_line(self) -> str:
        lines = [line for line in self._log.read_text("utf8", "replace").split("\n") if line.strip()]
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines or ["no output"])[-1]
