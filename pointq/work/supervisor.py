"""Worker processes under one parent: started, restarted when they die, stopped together."""

import asyncio
import contextlib
import logging
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from pointq.aio import Backoff, first_of
from pointq.work.child import Orders

log = logging.getLogger("pointq.work")

_STEADY_SECONDS = 10.0
"""A worker that lived so long was no failed start: the next restart comes at once."""


class Supervisor:
    """Keeps worker processes running. `start` and `stop` may be called twice."""

    def __init__(self, orders: Sequence[Orders]) -> None:
        self._orders = orders
        self._processes: dict[int, Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the workers were told to end."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start the workers."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._keep(i, orders)) for i, orders in enumerate(self._orders)]

    async def ended(self) -> None:
        """Wait until every worker has ended by itself, as they do when they drain, or was stopped."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.result()

    def tell(self, number: signal.Signals) -> None:
        """Pass a signal on, and start no worker again."""
        self._stop.set()
        for process in self._processes.values():
            _send(process, number)

    async def stop(self) -> None:
        """Let every worker finish what it read, then return."""
        self.tell(signal.SIGTERM)
        await self.ended()

    async def _keep(self, slot: int, orders: Orders) -> None:
        backoff = Backoff(0.2, 10.0)
        loop = asyncio.get_running_loop()
        while not self.stopping:
            started = loop.time()
            try:
                process = await self._run(slot, orders)
            except OSError as exc:
                log.error("no worker process can be started: %s; it is tried again", exc)  # noqa: TRY400 - no traceback
            else:
                drained = orders.plan.drain and process.returncode == 0
                if drained or self.stopping:
                    return
                log.error("worker process %d died (%s); another is started", process.pid, _manner(process.returncode))
            if loop.time() - started > _STEADY_SECONDS:
                backoff.reset()
            await first_of(backoff.wait(), self._stop.wait())

    async def _run(self, slot: int, orders: Orders) -> Process:
        """Start a process, hand it its orders and wait for its end."""
        # a session of its own: a Ctrl-C on the terminal reaches the parent alone, which passes it on in order
        process = self._processes[slot] = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "pointq.work.child", stdin=PIPE, start_new_session=True
        )
        if self.stopping:
            # `tell` could not know of it yet
            _send(process, signal.SIGTERM)
        if process.stdin is None:
            raise RuntimeError("the child has no standard input")
        with contextlib.suppress(ConnectionError):  # it is dead already: that is seen below
            process.stdin.write(orders.to_json())
            await process.stdin.drain()
        await process.wait()
        return process


def _send(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _manner(code: int | None) -> str:
    return f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"


async def supervise(orders: Sequence[Orders]) -> None:
    """Run those workers until SIGTERM or SIGINT, or until all have ended by themselves.

    The first signal lets them finish what they read, a Ctrl-C after it stops them at once.
    """
    supervisor = Supervisor(orders)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, supervisor.tell, signal.SIGTERM)
    loop.add_signal_handler(signal.SIGINT, lambda: supervisor.tell(signal.SIGINT if supervisor.stopping else signal.SIGTERM))
    supervisor.start()
    try:
        await supervisor.ended()
    finally:
        await supervisor.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
