"""Whom a process answers to: a service manager, or a parent process of pointq."""

from typing import Protocol


class Superior(Protocol):
    """Hears what a process does, and ends it where that is nothing for too long."""

    @property
    def listens(self) -> bool:
        """Whether it is there at all."""

    @property
    def watch_seconds(self) -> float | None:
        """It ends the process after so long without a sign of life; None: it does not watch."""

    def ready(self, status: str) -> None:
        """The process does what it was started for."""

    def alive(self, status: str) -> None:
        """It goes on doing so."""

    def reloading(self, status: str) -> None:
        """It reads its files again; `ready` says when it has."""

    def stopping(self, status: str, seconds: float = 0.0) -> None:
        """It ends, in so many seconds at most; 0: soon."""
