"""What `pointq db status` says of a database."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection

from pointq.errors import DatabaseError
from pointq.store import figures, schema
from pointq.store.faults import one_line
from pointq.store.figures import TableFigures
from pointq.store.inspection import Finding
from pointq.store.layout import Layout


@dataclass(frozen=True, slots=True)
class State:
    """The tables of a database at one moment."""

    time: dt.datetime
    postgresql: str
    timescaledb: str | None
    version: int | None
    """Of pointq's own tables, where it is written down."""
    tables: tuple[TableFigures, ...]
    missing: tuple[str, ...]
    """Tables that `pointq db init` would make."""
    yours: tuple[str, ...]
    """The user's own tables, there or not."""
    findings: tuple[Finding, ...]
    """What differs in those from what pointq needs."""


async def look(connection: AsyncConnection[Any], layout: Layout) -> State:
    """Ask the database. Raises DatabaseError where it refuses."""
    try:
        found = await schema.look(connection, layout)
        tables = await figures.measure(connection, layout)
        row = await (await connection.execute("SELECT now(), current_setting('server_version')")).fetchone()
    except psycopg.Error as exc:
        raise DatabaseError(f"the tables cannot be looked at: {one_line(exc)}") from exc
    now, postgresql = row or (dt.datetime.now(dt.UTC), "?")
    return State(now, postgresql, found.timescaledb, found.version, tables, found.missing, found.mapped, found.findings)
