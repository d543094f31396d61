"""Reading what should be a file, whatever stands under its name: a pipe that nobody writes to would be waited for for ever."""

import os
import stat

from pointq.errors import FormatError, PointqError
from pointq.ops.source import shown

_GIVEN_BY_THE_SHELL = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Names of pipes that someone does write to: ``pointq import <(unpack task.7z)``."""

_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFDIR: "a folder"}


def read_plain(path: str, most: int) -> bytes:
    """The bytes of a file. Raises PointqError where it cannot be read, is no file, or has more than `most` bytes."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                _check_special(path, found.st_mode)
                os.set_blocking(file.fileno(), True)
            # a device, and a file that grows, say nothing of their size beforehand
            data = b"" if found.st_size > most else file.read(most + 1)
    except OSError as exc:
        raise PointqError(f"{shown(path)} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise PointqError(f"{shown(path)} is no path: {exc}") from exc
    if found.st_size > most or len(data) > most:
        raise FormatError(f"{shown(path)} is larger than {most // 2**20} MiB")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_special(path: str, mode: int) -> None:
    if path.startswith(_GIVEN_BY_THE_SHELL):
        return
    kind = _KINDS.get(stat.S_IFMT(mode), "something special")
    raise FormatError(f"{shown(path)} is {kind}, not a file", hint="`pointq import -` reads what comes through a pipe")
