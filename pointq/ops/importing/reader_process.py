"""A process that reads files, one after the other."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

from pointq.ops.importing.reading import ReadFile, Task


class ReaderProcess:
    """Starts at once. One whose file fails to come back, or comes back to nobody, is ended and of no more use."""

    def __init__(self, work: Callable[[Task], ReadFile]) -> None:
        self._work = work
        # not forked: a copy of a process with threads may wait for ever for a lock that one of them held
        self._executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        self._pid = self._executor.submit(os.getpid)

    async def read(self, task: Task, within: float) -> ReadFile:
        """Read a file in so many seconds, from when the process runs. Raises TimeoutError, or BrokenProcessPool if it died."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wrap_future(self._pid)
            async with asyncio.timeout(within):
                return await loop.run_in_executor(self._executor, self._work, task)
        except BaseException:
            self._end()
            raise

    async def close(self) -> None:
        """End it; nothing is read."""
        await asyncio.to_thread(self._executor.shutdown)

    def _end(self) -> None:
        if self._pid.done() and not self._pid.cancelled() and self._pid.exception() is None:
            with suppress(ProcessLookupError):  # it died by itself
                os.kill(self._pid.result(), signal.SIGKILL)
        self._executor.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """A Ctrl-C, or the SIGTERM of a service manager, is the parent's; without a parent, however it went, nobody waits."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        with suppress(OSError):
            parent.join()
        os._exit(1)
