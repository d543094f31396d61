"""What an error of the database means: whose fault it is, and so what to do."""

import re
from enum import Enum

import psycopg

from pointq.errors import DatabaseError


class Fault(Enum):
    """Who or what is to blame, decided by SQLSTATE (the contract's list)."""

    DATA = "data"
    """The points themselves: find the bad ones, keep the others."""
    CONFLICT = "conflict"
    """Another transaction: try again."""
    SIZE = "size"
    """Too much at once: try again with half of it."""
    INSTALLATION = "installation"
    """Connection, resources, missing table, revoked right, …: wait until it is mended."""


_DATA_CLASSES = frozenset({"22", "23", "44"})
_BY_STATE = {
    "P0001": Fault.DATA,
    "40001": Fault.CONFLICT,
    "40P01": Fault.CONFLICT,
    "55P03": Fault.CONFLICT,
    "53400": Fault.SIZE,
    "57014": Fault.SIZE,
}


_GUESS = re.compile(
    r" This probably means the server terminated abnormally before or while processing the request\.?"
    r"| Is the server running (?:on that host|locally) and accepting .*?\?"
)
"""What libpq adds to a connection that ended or was refused; it says nothing more."""
_ATTEMPT = re.compile(r"connection to server (?:at|on) .*? failed: ")


def fault(exc: psycopg.Error) -> Fault:
    """Whose fault that error is."""
    state = exc.sqlstate or ""
    if state in _BY_STATE:
        return _BY_STATE[state]
    return Fault.DATA if state[:2] in _DATA_CLASSES else Fault.INSTALLATION


def one_line(exc: BaseException) -> str:
    """The error's primary message on one line: libpq's run over several, with what every attempt to connect said."""
    primary = exc.diag.message_primary if isinstance(exc, psycopg.Error) else None
    words = " ".join((primary or str(exc)).split())
    return _GUESS.sub("", words).removeprefix("consuming input failed: ") or type(exc).__name__


def unreachable(exc: psycopg.Error, where: str) -> DatabaseError:
    """An error of connecting, as one line and what to do. It has no SQLSTATE, only libpq's words."""
    message = one_line(exc).removeprefix("connection failed: ").removeprefix("connection is bad: ")
    if "password authentication failed" in message or "no password supplied" in message:
        return DatabaseError(
            f"the database at {where} refuses the login: {_cause(message)}", hint="check user and password in DATABASE_URL"
        )
    hint = "check that it is running, and DATABASE_URL"
    if 'database "' in message and "does not exist" in message:
        hint = "create it with createdb, or check DATABASE_URL"
    return DatabaseError(f"the database at {where} cannot be reached: {_cause(message)}", hint=hint)


def _cause(message: str) -> str:
    """The last cause that libpq names: what comes before repeats address and port."""
    if "FATAL:" in message:
        return message.rpartition("FATAL:")[2].strip()
    tries = len(_ATTEMPT.findall(message))
    return _ATTEMPT.sub("", message) if tries == 1 else message
