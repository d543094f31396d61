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
from functools import partial
from typing import Any

import orjson

from pointq import logs
from pointq.errors import ExitCode, PointqError
from pointq.supervision.job import Failure, LogStyle, Ready


def main(do: Callable[[Mapping[str, Any], Callable[[], None]], object]) -> None:
    """Read the job from standard input, do what its plan says, and end the process.

    `do` gets the plan, and what to call once it does what it was started for. A PointqError that it raises is told to the
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
        do(job["plan"], partial(_tell, words, Ready()))
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


def _tell(words: int, word: Ready | Failure) -> None:
    with suppress(BrokenPipeError):  # the parent is gone: this process is about to end too
        os.write(words, word.to_json())


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
