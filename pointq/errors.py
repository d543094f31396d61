"""Every error that pointq raises on purpose.

    PointqError                     exit 1   something failed
    ├── UsageError                  exit 2   what was typed does not make sense
    ├── ConfigError                 exit 2   a setting is wrong
    ├── BackendError                exit 3   Redis, the database or an embedded server cannot be reached
    │   ├── RedisError
    │   │   ├── RedisLoginError
    │   │   └── DurabilityError
    │   ├── DatabaseError
    │   │   └── TableError          exit 1   the database answers, and a table is wrong
    │   ├── EmbeddedError
    │   └── SpoolError
    ├── WaitTimeout                 exit 4   something did not happen in time
    ├── FrameError                  exit 1   bytes that are not a frame of pointq's
    └── FormatError                 exit 1   a file that cannot be read as what it claims to be
        ├── UnknownFormat
        └── NoTrack

Exceptions of libraries are translated into these where they are caught, with ``from exc``, so that nothing above the
boundary needs to know which library is below it.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit code tells a script (the contract's list)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    TIMED_OUT = 4
    REJECTS = 5
    INTERRUPTED = 130


class PointqError(Exception):
    """Something failed; the message says what and why, the hint what to do.

    `message` is one line without a trailing full stop; `hint`, where there is one, is an instruction.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PointqError):
    """A command was called in a way that makes no sense."""

    exit_code = ExitCode.USAGE


class ConfigError(PointqError):
    """A setting has a value that pointq cannot use, or a name that it does not know."""

    exit_code = ExitCode.USAGE


class BackendError(PointqError):
    """A server that pointq needs cannot be reached or refuses to work."""

    exit_code = ExitCode.UNREACHABLE


class RedisError(BackendError):
    """Redis or Valkey cannot be reached, refuses the login, or cannot accept writes."""


class RedisLoginError(RedisError):
    """Redis refuses user or password, or a right."""


class DurabilityError(RedisError):
    """Redis answers, but cannot promise that what it answered is on disk."""


class DatabaseError(BackendError):
    """PostgreSQL cannot be reached, refuses the login, or lacks what pointq needs."""


class TableError(DatabaseError):
    """A table that would not keep what pointq promises; the others may be as they should.

    The database is there: to wait for it, or to try again, mends nothing.
    """

    exit_code = ExitCode.FAILED


class EmbeddedError(BackendError):
    """An embedded server is not installed or did not start."""


class SpoolError(BackendError):
    """The spool is full, or its disk cannot be written or read."""


class WaitTimeout(PointqError):
    """Something that was waited for did not happen in time."""

    exit_code = ExitCode.TIMED_OUT


class FrameError(PointqError):
    """Bytes that are no frame of pointq's: cut, changed, of an unknown version, or something else altogether."""


class FormatError(PointqError):
    """A file that cannot be read as the format it claims to be."""


class UnknownFormat(FormatError):
    """A file of no format that pointq reads."""


class NoTrack(FormatError):
    """A file that is in order, and made for something else than a track: waypoints, airspace, a picture."""
