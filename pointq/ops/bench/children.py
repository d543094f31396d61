"""Processes of a benchmark: started as a user starts them, then ended in order, or killed and frozen on purpose."""

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
from pointq.ops.bench.door import HOST
from pointq.ops.bench.options import Backends
from pointq.ops.bench.scratch import Scratch
from pointq.points.kinds import KINDS

_ADDRESS = re.compile(r"http://[^\s/]+")
_READS = " reads "
"""In the first line of a worker that has reached its servers."""
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.02


def environ_of(scratch: Scratch, backends: Backends, folder: Path) -> dict[str, str]:
    """Settings of a process on the scratch: what its own user has set for durability, and nothing else of this process's.

    Its data folder is its own: the user's spool must neither get these points nor be drained into this queue.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("POINTQ_")} | {
        "POINTQ_REDIS__URL": scratch.redis_url,
        "POINTQ_DATABASE__URL": scratch.database_url,
        "POINTQ_QUEUE__PREFIX": scratch.prefix,
        "POINTQ_QUEUE__SHARDS": "1",
        "POINTQ_SERVE__HOST": HOST,
        "POINTQ_DURABILITY": backends.durability,
        "POINTQ_MIN_REPLICAS": str(backends.min_replicas),
        "POINTQ_DATA_DIR": str(folder / "data"),
        # the scratch has pointq's own tables: nothing may go into a user's
        **{f"POINTQ_TABLES__{name.upper()}": "{}" for name in (*KINDS, "flights")},
    }


class Child:
    """One process, what it says in a file. `end` may be called twice."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, arguments: tuple[str, ...], environ: Mapping[str, str], log: Path, module: str = "pointq") -> "Child":
        """Start a module of Python with those arguments."""
        with log.open("ab") as said:
            # a session of its own: a Ctrl-C on the terminal reaches this process alone, which ends the other in order
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, *arguments),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=said,
                env=environ,
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

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
