"""pointq's own processes, started as a user starts them, and what memory they take."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pointq.errors import PointqError, WaitTimeout
from pointq.ops.bench.rounds import Stage
from pointq.supervision.job import LogStyle
from pointq.supervision.supervisor import Supervisor
from pointq.work.child import job_of
from pointq.work.process import Plan

_ADDRESS = re.compile(rb"http://[^\s/]+")
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_MIB = 1024
"""Kibibytes, which are what Linux counts in."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that takes requests."""

    url: str
    pid: int


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[Server]:
    """One ``pointq serve`` on a free port, without a worker, on the scratch."""
    scratch, backends = stage.scratch, stage.backends
    # what its own user has set for durability and nothing else of this process's settings
    environ = {name: value for name, value in os.environ.items() if not name.startswith("POINTQ_")} | {
        "POINTQ_REDIS__URL": scratch.redis_url,
        "POINTQ_DATABASE__URL": scratch.database_url,
        "POINTQ_QUEUE__PREFIX": scratch.prefix,
        "POINTQ_QUEUE__SHARDS": "1",
        "POINTQ_SERVE__HOST": "127.0.0.1",
        "POINTQ_DURABILITY": backends.durability,
        "POINTQ_MIN_REPLICAS": str(backends.min_replicas),
    }
    with TemporaryDirectory(prefix="pointq-bench-") as folder:
        # its own spool: the user's must neither get these points nor be drained into this queue
        environ["POINTQ_DATA_DIR"] = folder
        async with _started(("pointq", "serve", "--port", "0", "--no-worker"), environ) as server:
            yield server


@asynccontextmanager
async def bare_server() -> AsyncIterator[Server]:
    """The bare handler."""
    async with _started(("pointq.ops.bench.bare", "0"), dict(os.environ)) as server:
        yield server


@asynccontextmanager
async def worker(stage: Stage, *, drain: bool = False) -> AsyncIterator[Supervisor]:
    """One worker process on the scratch, for all lanes; it may not have started yet."""
    scratch = stage.scratch
    plan = Plan(
        redis_url=scratch.redis_url,
        database_url=scratch.database_url,
        lanes=scratch.lanes,
        prefix=scratch.prefix,
        batch_points=stage.options.batch,
        drain=drain,
    )
    supervisor = Supervisor([job_of(plan, LogStyle("error", "auto", no_color=True))])
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def worker_pid(stage: Stage) -> int:
    """The process of the one worker, once it is there. Raises WaitTimeout."""
    end = asyncio.get_running_loop().time() + _START_SECONDS
    while not (beats := await stage.scratch.heartbeats.read()):
        if asyncio.get_running_loop().time() > end:
            raise WaitTimeout(f"no worker started within {_START_SECONDS:g} s")
        await asyncio.sleep(0.01)
    return beats[-1].pid


def peak_mib(pid: int) -> float | None:
    """The most memory that the process ever had resident; None where the system does not say."""
    return _from_status(pid, "VmHWM")


def resident_mib(pid: int) -> float | None:
    """The memory that the process has resident now."""
    return _from_status(pid, "VmRSS")


def _from_status(pid: int, name: str) -> float | None:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / _MIB
    return None


@asynccontextmanager
async def _started(module: tuple[str, ...], environ: dict[str, str]) -> AsyncIterator[Server]:
    # a session of its own: a Ctrl-C on the terminal reaches this process alone, which ends the other in order
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", *module, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=environ, start_new_session=True
    )
    said: deque[bytes] = deque(maxlen=20)
    reading: asyncio.Task[None] | None = None
    try:
        url = await _address(process, said)
        reading = asyncio.create_task(_read(process, said))
        yield Server(url, process.pid)
    finally:
        await _end(process)
        if reading is not None:
            await reading


async def _address(process: Process, said: "deque[bytes]") -> str:
    """Where it says that it listens."""
    try:
        async with asyncio.timeout(_START_SECONDS):
            while line := await _line(process):
                said.append(line)
                if found := _ADDRESS.search(line):
                    return found[0].decode()
    except TimeoutError as exc:
        raise WaitTimeout(f"a server to be measured does not listen after {_START_SECONDS:g} s") from exc
    raise PointqError(f"a server to be measured did not start: {b' '.join(said).decode(errors='replace').strip()}")


async def _read(process: Process, said: "deque[bytes]") -> None:
    """Nobody may wait because a pipe is full."""
    while line := await _line(process):
        said.append(line)


async def _line(process: Process) -> bytes:
    return b"" if process.stderr is None else await process.stderr.readline()


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
