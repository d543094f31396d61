"""sd_notify: what a service tells its manager, a datagram at a time (sd_notify(3), sd_watchdog_enabled(3)).

Without NOTIFY_SOCKET nobody listens, and nothing happens.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

log = logging.getLogger("pointq.systemd")

_SEND_SECONDS = 0.2
"""A manager whose socket is full hears the next word: nothing here waits for it."""

_STATUS_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Manager:
    """Whoever started this process and wants to hear of it."""

    address: str | None = None
    """A socket's path; with an @ before it, a name in the abstract namespace. None: nobody listens."""
    watch_seconds: float | None = None
    """It ends the process after so long without a sign of life; None: it does not watch."""
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> "Manager":
        """The one that the environment names. Its variables are removed, so that no child speaks for this process."""
        address = environ.pop("NOTIFY_SOCKET", "")
        period, of_process = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")):
            return cls()
        is_ours = of_process in {"", str(os.getpid())}
        watch = int(period) / 1e6 if is_ours and period.isdecimal() and int(period) else None
        return cls(address, watch)

    @property
    def listens(self) -> bool:
        """Whether it is there at all."""
        return self.address is not None

    def ready(self, status: str) -> None:
        """This process does what it was started for."""
        self._tell("READY=1", _status(status))

    def alive(self, status: str) -> None:
        """It goes on doing so."""
        self._tell(*(["WATCHDOG=1"] if self.watch_seconds else []), _status(status))

    def reloading(self, status: str) -> None:
        """It reads its files again; `ready` says when it has."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self.clock() * 1e6)}", _status(status))

    def stopping(self, status: str, seconds: float = 0.0) -> None:
        """It ends, in so many seconds at most; 0: soon."""
        longer = [f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}"] if seconds else []
        self._tell("STOPPING=1", *longer, _status(status))

    def _tell(self, *words: str) -> None:
        if self.address is None:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.settimeout(_SEND_SECONDS)
                speaker.sendto("\n".join(words).encode(), name)
        except OSError as exc:
            # a manager that is being restarted: the next word finds it again
            log.debug("the service manager does not hear: %s", exc)


NOBODY = Manager()


def _status(text: str) -> str:
    """One line, whatever an error message has in it."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return f"STATUS={' '.join(shown.split())[:_STATUS_CHARACTERS]}"
