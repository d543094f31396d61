"""Sessions of the database: which one a connection has, and how someone else ends it.

A client that is frozen in the middle of a transaction keeps its locks: no timeout ends a session that waits for the rest of a
COPY. Its session is known by process id and start together, since the system gives process ids out again.
"""

from dataclasses import dataclass
from enum import Enum

import psycopg
from psycopg import AsyncConnection, errors, sql

_STARTED = sql.SQL("(extract(epoch FROM backend_start) * 1000000)::bigint")
_OWN = sql.SQL("SELECT pid, {started} FROM pg_stat_activity WHERE pid = pg_backend_pid()").format(started=_STARTED)
# of sessions that the asking role has no right to see, the start is NULL
_END = sql.SQL("""
    SELECT CASE WHEN backend_start IS NOT NULL THEN pg_terminate_backend(pid) END
    FROM pg_stat_activity
    WHERE pid = %(pid)s AND pid <> pg_backend_pid() AND coalesce({started} = %(started)s, true)
""").format(started=_STARTED)


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a database server."""

    pid: int
    started: int
    """Microseconds since 1970, by the clock of the server."""


class Ending(Enum):
    """What became of the wish to end a session."""

    ENDED = "ended"
    GONE = "gone"
    """There was none with that process id and start, or it was one's own."""
    FORBIDDEN = "forbidden"
    """The right to see or to end it is missing."""


async def session_of(connection: AsyncConnection) -> Session | None:
    """The session of a connection; None where the server does not say, or another pooled one may get it next."""
    try:
        row = await (await connection.execute(_OWN)).fetchone()
    except psycopg.Error:
        # it is wanted for trouble only: whether the connection works is for the first statement to find out
        return None
    # a pooler makes up a process id of its own for its clients
    if row is None or row[1] is None or row[0] != connection.info.backend_pid:
        return None
    return Session(*row)


async def end(connection: AsyncConnection, session: Session) -> Ending:
    """End someone else's session; its transaction is rolled back. Raises psycopg.Error."""
    try:
        row = await (await connection.execute(_END, {"pid": session.pid, "started": session.started})).fetchone()
    except errors.InsufficientPrivilege:
        return Ending.FORBIDDEN
    if row is None:
        return Ending.GONE
    return Ending.FORBIDDEN if row[0] is None else Ending.ENDED
