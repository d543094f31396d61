"""Who reads the files: processes of their own, since a parser that hangs, or takes all memory, can be ended only so."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from pointq.errors import PointqError
from pointq.ops.importing.reader_process import ReaderProcess
from pointq.ops.importing.reading import ReadFile, Task, failed, read

_SECONDS = 60.0
_SECONDS_A_MEBIBYTE = 20.0
"""Half the speed at which the slowest format, FIT, was read with four others at work on each core."""


class Reader(Protocol):
    """Reads files, several at a time."""

    @property
    def jobs(self) -> int:
        """How many at a time."""

    async def read(self, task: Task) -> ReadFile:
        """Read a file. Raises BackendError where nobody is left who could."""

    async def close(self) -> None:
        """Read no more."""


def default_jobs() -> int:
    """One a core but one, which is left to whoever stores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(cores - 1, 1)


def longest_seconds(size: int) -> float:
    """How long reading a file of so many bytes may take: what takes longer hangs."""
    return _SECONDS + _SECONDS_A_MEBIBYTE * size / 2**20


class Processes:
    """Reads each file in one of several processes, started when they are needed.

    Where a process dies (the system kills what takes too much memory), or takes longer than `longest` says for a file of that
    many bytes, its file fails and no other.
    """

    def __init__(
        self, jobs: int, work: Callable[[Task], ReadFile] = read, longest: Callable[[int], float] = longest_seconds
    ) -> None:
        self.jobs = jobs
        self._work = work
        self._longest = longest
        self._turn = asyncio.Semaphore(jobs)
        self._free: list[ReaderProcess] = []

    def start(self) -> None:
        """Start one before there is a file: it takes half a second to load what it reads with."""
        self._free.append(ReaderProcess(self._work))

    async def read(self, task: Task) -> ReadFile:
        """Read a file."""
        async with self._turn:
            process = self._free.pop() if self._free else ReaderProcess(self._work)
            seconds = self._longest(len(task.data))
            try:
                file = await process.read(task, seconds)
            except BrokenProcessPool:
                return _failed(task, "the process that read it died: the file takes too much memory, or a defect")
            except TimeoutError:
                return _failed(task, f"it is not read after {seconds:.0f} s, and given up: a file made to do harm, or a defect")
            self._free.append(process)
            return file

    async def close(self) -> None:
        """End the processes. To be called when no file is being read."""
        while self._free:
            await self._free.pop().close()


def _failed(task: Task, why: str) -> ReadFile:
    return failed(task.name, PointqError(why))
