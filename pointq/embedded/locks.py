"""Locks between processes: `flock` on a file, which the kernel releases however its holder dies."""

import fcntl
import os
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

_open: "weakref.WeakSet[Lock]" = weakref.WeakSet()


class Lock:
    """An open lock file, not locked at first.

    The descriptor is closed on exec, and in forked children too: a copy there would keep the lock after its holder's
    end, since a `flock` lasts until the last copy of the descriptor is closed.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        self.fd = os.open(path, flags, 0o600)
        _open.add(self)

    def shared(self) -> bool:
        """Try to hold it together with others; an exclusive hold of ours becomes a shared one."""
        return self._try(fcntl.LOCK_SH)

    def exclusive(self) -> bool:
        """Try to hold it alone; if that fails, a shared hold of ours is given up (so does `flock`)."""
        return self._try(fcntl.LOCK_EX)

    def close(self) -> None:
        """Close the file, and release the lock unless another process was given the descriptor."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        _open.discard(self)

    def detach(self) -> int:
        """Give the descriptor away, to be handed on to children; this object no longer closes it."""
        fd, self.fd = self.fd, -1
        _open.discard(self)
        return fd

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self.fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _close_in_child() -> None:
    for lock in list(_open):
        lock.close()


os.register_at_fork(after_in_child=_close_in_child)
