"""pointq's own processes, started as a user starts them, and what memory they take."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from pointq.errors import WaitTimeout
from pointq.ops.bench.children import Child, environ_of
from pointq.ops.bench.rounds import Stage
from pointq.supervision.job import LogStyle
from pointq.supervision.supervisor import Supervisor
from pointq.work.child import job_of
from pointq.work.process import Plan

_START_SECONDS = 30.0
_MIB = 1024
"""Kibibytes, which are what Linux counts in."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that takes requests."""

    url: str
    pid: int


@asynccontextmanager
async def served(stage: Stage, settings: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Server]:
    """One ``pointq serve`` on a free port, without a worker, on the scratch; `settings` are variables of its own."""
    with TemporaryDirectory(prefix="pointq-bench-") as folder:
        environ = environ_of(stage.scratch, stage.backends, Path(folder)) | dict(settings)
        async with _listening(("serve", "--port", "0", "--no-worker"), environ, Path(folder)) as server:
            yield server


@asynccontextmanager
async def bare_server() -> AsyncIterator[Server]:
    """The bare handler."""
    with TemporaryDirectory(prefix="pointq-bench-") as folder:
        async with _listening(("0",), dict(os.environ), Path(folder), "pointq.ops.bench.bare") as server:
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
async def _listening(
    arguments: tuple[str, ...], environ: Mapping[str, str], folder: Path, module: str = "pointq"
) -> AsyncIterator[Server]:
    child = await Child.start(arguments, environ, folder / "server.log", module)
    try:
        yield Server(await child.listens(), child.pid)
    finally:
        await child.end()
