"""What pointq needs of asyncio beyond asyncio: a loop in C, waiting for the first of several, for nobody, longer and longer."""

import asyncio
import logging
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Sleep = Callable[[float], Awaitable[object]]

log = logging.getLogger("pointq")

_DEFECT_SECONDS = 10.0
"""Before what met a defect is tried again: each leaves a traceback in the log."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, on uvloop where that is installed (not on Windows): an event loop in C.

    Raises KeyboardInterrupt where it was cancelled, as a second Ctrl-C does.
    """
    with _new_runner() as runner:
        try:
            return runner.run(main)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def run_impatiently(main: Coroutine[Any, Any, T]) -> T:
    """Run what a person waits for, to its end: names and disks that hang are left behind in their threads.

    Raises KeyboardInterrupt where it was cancelled.
    """

    async def impatient() -> T:
        asyncio.get_running_loop().set_default_executor(Unawaited())
        return await main

    try:
        return asyncio.run(impatient())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _new_runner() -> asyncio.Runner:
    try:
        import uvloop  # noqa: PLC0415 - not everywhere
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def first_of(*things: Awaitable[object]) -> None:
    """Wait until one of them is done, and until the others are cancelled: only for what asyncio itself waits for."""
    tasks = [asyncio.ensure_future(thing) for thing in things]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel(*tasks)


async def cancel(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel them and wait until they have ended, in whatever way."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Rounds:
    """Does something again and again, beside all else, from `start` to `stop`; both may be called twice.

    `once` returns the seconds until the next time. What it raises is a defect: it is logged, and done again, since nobody else
    would hear that the work has ended.
    """

    def __init__(self, name: str, once: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._once = once
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End behind the round that goes on."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stop.is_set():
            await first_of(asyncio.sleep(await self._seconds()), self._stop.wait())

    async def _seconds(self) -> float:
        try:
            return await self._once()
        except Exception:
            log.exception("a defect in what goes on beside the requests: %s", self._name)
            return _DEFECT_SECONDS


def end_on_sigterm() -> None:
    """Let SIGTERM cancel this task, as Ctrl-C does: what it made is removed."""
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def check_cancelled() -> None:
    """Raise CancelledError where this task was told to end and a library kept it to itself.

    asyncio.wait_for before Python 3.12 does so when what it waits for ends at the same moment; redis-py sends through it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """What it returns, also where this task is cancelled meanwhile: that is for `check_cancelled` to raise behind it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


class Unawaited(ThreadPoolExecutor):
    """Threads that nobody waits for, neither an event loop nor the interpreter when they end.

    As the loop's default executor it is what `asyncio.to_thread` and the look-up of names use: a disk or a name server that
    hangs must not hold back an answer that is there without it.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run it in a thread of its own."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from here on it cannot be cancelled under the thread

        def settle() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as exc:  # noqa: BLE001 - it is the caller's
                future.set_exception(exc)

        threading.Thread(target=settle, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as inherited
        """Leave them alone."""


class Backoff:
    """Waits between tries: from `first` seconds, doubling, to `most`; each by a random factor between a half and one.

    The factor keeps many workers from coming back all at once.
    """

    def __init__(
        self,
        first: float = 0.05,
        most: float = 2.0,
        *,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._most = most
        self._next = first
        self._sleep = sleep
        self._random = random

    def step(self) -> float:
        """The seconds to wait now; the next step is longer."""
        seconds = self._next * (0.5 + self._random() / 2)
        self._next = min(self._next * 2, self._most)
        return seconds

    async def wait(self) -> None:
        """Wait one step."""
        await self._sleep(self.step())

    def reset(self) -> None:
        """It worked; begin anew."""
        self._next = self._first
