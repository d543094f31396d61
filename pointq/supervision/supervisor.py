"""Processes under one parent: started, restarted when they die, stopped together."""

import asyncio
import contextlib
import logging
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence

from pointq.aio import Backoff, first_of
from pointq.errors import PointqError
from pointq.supervision.job import Alive, Failure, Job, Ready, word
from pointq.supervision.superior import Superior
from pointq.supervision.vigil import Vigil
from pointq.systemd.notify import NOBODY

log = logging.getLogger("pointq.supervision")

_STEADY_SECONDS = 10.0
"""A process that lived so long was no failed start: the next restart comes at once."""


_PARTS = 8
"""Of the time in which a process is to give a sign: a standstill takes one of them."""

_START_SECONDS = 90.0
"""What a process that is watched may take until it is ready; as TimeoutStartSec in the units."""


class Supervisor:
    """Keeps processes running. `start` and `stop` may be called twice.

    `ready` is called once, when all of them have said that they do what they were started for. A process that dies is started
    again. One that says before that moment why it cannot do it (a Failure) ends all; later it is tried again like one that
    died, since a replacement that cannot start must not end what works.
    """

    def __init__(self, jobs: Sequence[Job], ready: Callable[[], None] = lambda: None) -> None:
        self._jobs = jobs
        self._ready = ready
        self._processes: dict[int, Process] = {}
        self._up: set[int] = set()
        self._said: dict[int, str] = {}
        self._done: set[int] = set()
        self._begun = False
        self._failure: PointqError | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the processes were told to end."""
        return self._stop.is_set()

    @property
    def interrupted(self) -> bool:
        """Whether, once all have ended, one that ends by itself was ended before."""
        return any(job.ends and slot not in self._done for slot, job in enumerate(self._jobs))

    @property
    def status(self) -> str:
        """What the processes do, in words for the operator."""
        said = sorted({self._said[slot] for slot in self._up if slot in self._said})
        return "; ".join([f"{len(self._up)} of {len(self._jobs)} processes", *said])

    def start(self) -> None:
        """Start the processes."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._keep(slot, job)) for slot, job in enumerate(self._jobs)]

    async def ended(self) -> None:
        """Wait until every process has ended, by itself or because all were stopped.

        Raises PointqError, the first Failure, where one of them ended all or failed while it stopped.
        """
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.result()
        if self._failure is not None:
            raise self._failure

    def tell(self, number: signal.Signals) -> None:
        """Pass a signal on, and start no process again."""
        self._stop.set()
        for process in self._processes.values():
            _send(process, number)

    def pass_on(self, number: signal.Signals) -> None:
        """Pass a signal on to every process that does what it was started for."""
        for slot in self._up:
            _send(self._processes[slot], number)

    async def stop(self) -> None:
        """Let every process finish what it has in its hands, then return. Raises what `ended` raises."""
        self.tell(signal.SIGTERM)
        await self.ended()

    async def _keep(self, slot: int, job: Job) -> None:
        backoff = Backoff(0.2, 10.0)
        loop = asyncio.get_running_loop()
        while not self.stopping:
            started = loop.time()
            try:
                process = await self._run(slot, job)
            except OSError as exc:
                log.error("no %s process can be started: %s; it is tried again", job.what, exc)  # noqa: TRY400 - no traceback
            else:
                if job.ends and process.returncode == 0:
                    self._done.add(slot)
                if slot in self._done or self.stopping:
                    return
                log.error("%s process %d died (%s); another is started", job.what, process.pid, _manner(process.returncode))
            if loop.time() - started > _STEADY_SECONDS:
                backoff.reset()
            await first_of(backoff.wait(), self._stop.wait())

    async def _run(self, slot: int, job: Job) -> Process:
        """Start a process, hand it its job, hear what it says and wait for its end."""
        # a session of its own: a Ctrl-C on the terminal reaches the parent alone, which passes it on in order
        process = self._processes[slot] = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", job.module, stdin=PIPE, stdout=PIPE, start_new_session=True, pass_fds=job.descriptors
        )
        if self.stopping:
            # `tell` could not know of it yet
            _send(process, signal.SIGTERM)
        try:
            await _hand(process, job)
            while line := await self._line(slot, job, process):
                self._hear(slot, job, line)
            await process.wait()
        finally:
            self._up.discard(slot)
        return process

    async def _line(self, slot: int, job: Job, process: Process) -> bytes:
        """The next thing that a process says; empty at its end, which comes at once where it is silent for too long."""
        if process.stdout is None:
            raise RuntimeError("the child has no standard output")
        watch = job.watch_seconds if slot in self._up or job.watch_seconds is None else _START_SECONDS
        reading = asyncio.ensure_future(process.stdout.readline())
        try:
            if watch is not None and not await _heard(reading, watch) and not self.stopping:
                log.error("%s process %d hangs: no sign of life for %.0f s", job.what, process.pid, watch)
                _send(process, signal.SIGKILL)
            return await reading
        finally:
            reading.cancel()

    def _hear(self, slot: int, job: Job, line: bytes) -> None:
        match word(line):
            case Ready():
                self._up.add(slot)
                if not self._begun and len(self._up) == len(self._jobs):
                    self._begun = True
                    self._ready()
            case Alive(status):
                self._said[slot] = status
            case Failure(error):
                self._failed(job, error)

    def _failed(self, job: Job, error: PointqError) -> None:
        if self._begun and not self.stopping:
            log.error("a %s process cannot go on: %s", job.what, error)
            return
        self._failure = self._failure or error
        self.tell(signal.SIGTERM)


async def _heard(reading: asyncio.Future[bytes], watch: float) -> bool:
    """Whether something is said in so many seconds, in each of which this process was awake to hear it.

    A machine that stood still, as while it was moved to another host, would else have all its processes killed when it goes on.
    """
    for _ in range(_PARTS):
        await asyncio.wait({reading}, timeout=watch / _PARTS)
        if reading.done():
            return True
    return False


async def _hand(process: Process, job: Job) -> None:
    if process.stdin is None:
        raise RuntimeError("the child has no standard input")
    with contextlib.suppress(ConnectionError):  # it is dead already: that is seen when nothing is heard of it
        process.stdin.write(job.to_json())
        await process.stdin.drain()


def _send(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _manner(code: int | None) -> str:
    return f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"


async def supervise(supervisor: Supervisor, superior: Superior = NOBODY, *, stop_seconds: float = 0.0) -> None:
    """Run its processes until SIGTERM or SIGINT, or until all have ended by themselves; `superior` hears how they do.

    They end within `stop_seconds` of the first signal, as far as is known.

    The first signal lets them finish what they have in their hands; a Ctrl-C after it stops them at once. Raises
    CancelledError then, and where a signal ended one that ends by itself before it was done; and the PointqError that made
    one of them end all.
    """
    loop = asyncio.get_running_loop()
    hurried = False

    def terminate() -> None:
        superior.stopping("stopping: what was begun is finished", stop_seconds)
        supervisor.tell(signal.SIGTERM)

    def interrupt() -> None:
        nonlocal hurried
        hurried = supervisor.stopping
        supervisor.tell(signal.SIGINT if hurried else signal.SIGTERM)

    async def look() -> str:
        # one that hangs is killed, and another started: this process works as long as its own loop turns
        return supervisor.status

    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    supervisor.start()
    vigil = Vigil(superior, look)
    vigil.start()
    try:
        await supervisor.ended()
    finally:
        await vigil.stop()
        await supervisor.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if hurried or supervisor.interrupted:
        raise asyncio.CancelledError
