"""The connection to PostgreSQL."""

import socket
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection, conninfo

from pointq.errors import DatabaseError
from pointq.store.faults import unreachable

# a writer that froze in the middle of a transaction must not hold its locks for ever, and nobody wait for ever for a lock;
# writers hold theirs for a second at most
_SESSION = "-c TimeZone=UTC -c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000 -c application_name=pointq"


async def connect(url: str, *, within: float = 5.0) -> AsyncConnection:
    """A connection to that database, in autocommit: transactions are always explicit.

    Raises DatabaseError where the URL cannot be read, and where it cannot be reached or refuses the login `within` so many
    seconds.
    """
    try:
        return await AsyncConnection.connect(
            url,
            autocommit=True,
            client_encoding="UTF8",  # text goes as bytes of UTF-8, whatever the database's own encoding
            connect_timeout=max(int(within), 1),
            options=_options(url),
            # a host that vanished is noticed within half a minute; keepalives are silent while sent data is unacknowledged
            keepalives=1,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
    except psycopg.Error as exc:
        raise unreachable(exc, describe(url)) from exc


def abort(connection: AsyncConnection[Any]) -> None:
    """Break the connection: whoever waits on it for a server that says nothing fails at once."""
    if not connection.closed:
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line, suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def describe(url: str) -> str:
    """Where that URL points to, without user and password; "?" where it cannot be read: any piece may be the password's."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "?"
    host = str(parts.get("host") or "localhost")
    name = parts.get("dbname", "")
    return f"{host}/{name}" if host.startswith("/") else f"{host}:{parts.get('port', 5432)}/{name}"


def _options(url: str) -> str:
    try:
        own = conninfo.conninfo_to_dict(url).get("options")
    except psycopg.ProgrammingError:  # the text of which has a piece of the URL, maybe of the password
        raise DatabaseError("the database's URL cannot be read", hint="check how DATABASE_URL is written") from None
    return f"{own} {_SESSION}" if own else _SESSION
