"""Files of flights, and parsers that go wrong."""

import itertools
import os
import signal
import threading

from pointq.ops.importing.reading import ReadFile, Task, read

_seconds = itertools.count(1)


def igc(*records: str, date: str = "010624") -> bytes:
    """Write an IGC file of those records."""
    return "\r\n".join(("AXXX001", f"HFDTE{date}", *records, "")).encode()


def fresh_igc(count: int = 5) -> bytes:
    """Make a flight that no other test of this process has."""
    minute, second = divmod(next(_seconds), 60)
    return igc(*(f"B{10 + minute:02}{second:02}{i:02}4530000N00630000EA0{i:04}01500" for i in range(count)))


def read_or_die(task: Task) -> ReadFile:
    """Read a file as the system lets one that takes too much memory: the process of one named so is killed."""
    if task.name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(task)


def read_or_hang(task: Task) -> ReadFile:
    """Read a file; one named so never ends, and its process hears no signal but one."""
    if task.name == "endless":
        threading.Event().wait()
    return read(task)
