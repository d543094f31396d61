"""The child's side: it reads its job, does it, and ends when its parent does.

Its standard input stays open for as long as the parent lives. When that ends, however the parent died, the child finishes what
it has in its hands and ends too, as after SIGTERM.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from pointq import logs
from pointq.errors import ExitCode, PointqError
from pointq.supervision.job import Alive, Failure, LogStyle, Ready


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent as a superior, by a descriptor that it reads."""

    words: int
    watch_seconds: float | None

    @property
    def listens(self) -> bool:
        """Whether it wants signs of life."""
        return self.watch_seconds is not None

    def ready(self, status: str) -> None:  # noqa: ARG002 - `alive` says it
        """This process does what it was started for."""
        _tell(self.words, Ready())

    def alive(self, status: str) -> None:
        """It goes on doing so."""
        _tell(self.words, Alive(status))

    def reloading(self, status: str) -> None:
        """Nothing that the parent waits for."""

    def stopping(self, status: str, seconds: float = 0.0) -> None:
        """The parent told it so, or sees its end."""


def main(do: Callable[[Mapping[str, Any], Parent], object]) -> None:
    """Read the job from standard input, do what its plan says, and end the process.

    `do` gets the plan, and whom to tell once it does what it was started for. A PointqError that it raises is told to the
    parent and becomes the exit code.
    """
    line = sys.stdin.buffer.readline()
    if not line:
        return
    job = orjson.loads(line)
    log = LogStyle(**job["log"])
    logs.configure(log.level, log.format, no_color=log.no_color)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    words = _words()
    try:
        do(job["plan"], Parent(words, job["watch_seconds"]))
    except PointqError as exc:
        _tell(words, Failure(exc))
        sys.exit(exc.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        # the work is over: a signal that comes late must not end in a traceback of the interpreter's own exit
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _words() -> int:
    """The descriptor for words to the parent; what anything prints goes to standard error from now on."""
    words = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return words


def _tell(words: int, word: Ready | Alive | Failure) -> None:
    with suppress(BrokenPipeError):  # the parent is gone: this process is about to end too
        os.write(words, word.to_json())


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
