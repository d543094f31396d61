"""Whether a table keeps late points: TimescaleDB before 2.18.1 could lose those for compressed chunks, and say nothing."""

from typing import Any

from psycopg import AsyncConnection

from pointq.errors import TableError
from pointq.store import facts
from pointq.store.mapping import Table
from pointq.store.statements import text

UPDATE = "ALTER EXTENSION timescaledb UPDATE"


def unsafe(version: str, table: str) -> str:
    """Why that version is refused for a table whose chunks are compressed."""
    safe = ".".join(map(str, facts.SAFE))
    return (
        f"TimescaleDB {version} can lose late points for compressed chunks of {table} and say nothing; "
        f"{safe} is the first that does not"
    )


async def refuse_unsafe(connection: AsyncConnection[Any], table: Table) -> None:
    """Raises TableError where points could be lost in that table, psycopg.Error where that cannot be found out."""
    cursor = await connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    row = await cursor.fetchone()
    if row is None or facts.version_number(row[0]) >= facts.SAFE:
        return
    cursor = await connection.execute(text("compresses"), (table.identifier.as_string(connection),))
    if await cursor.fetchone() is not None:
        raise TableError(unsafe(row[0], table.shown), hint=UPDATE)
