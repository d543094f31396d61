"""PostgreSQL: the server, its clock, the tables, TimescaleDB."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from pointq.config import Settings
from pointq.errors import DatabaseError
from pointq.ops.doctor.sources.clocks import Offset, offset
from pointq.store.catalog import FoundTable, read
from pointq.store.inspection import Finding, inspect
from pointq.store.layout import Layout
from pointq.store.schema import timescaledb_version
from pointq.store.statements import text

_SERVER = sql.SQL(text("server"))
_TIMESCALEDB = sql.SQL(text("timescaledb"))


@dataclass(frozen=True, slots=True)
class DatabaseLink:
    """Whether the server takes the login."""

    where: str
    trouble: DatabaseError | None = None


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """What the server says of itself, beside what was configured."""

    settings: Settings
    version: str
    version_number: int
    """160003 for 16.3."""
    username: str
    standby: bool
    encoding: str
    connections: int
    """Of clients, this one among them."""
    free: int
    """Connections that the server, this database or this role would still take."""
    pooled: bool
    """The session is not the one that was logged in to."""
    options: Mapping[str, str]
    """Settings in force in a session of pointq's, in PostgreSQL's base units (milliseconds)."""


@dataclass(frozen=True, slots=True)
class DatabaseClock:
    """Its clock."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class Tables:
    """Those of pointq's tables that there are, and the user they were looked at as; beside them tables of the user's own."""

    found: Mapping[str, FoundTable]
    username: str
    names: Sequence[str]
    """Those that pointq makes."""
    yours: Sequence[str] = ()
    """The user's own."""
    findings: Sequence[Finding] = ()
    """What differs in those from what pointq needs."""


@dataclass(frozen=True, slots=True)
class Hypertable:
    """One of pointq's tables, as TimescaleDB has it."""

    name: str
    compressed: bool
    """Chunks of it may be compressed."""
    chunk_seconds: float | None


@dataclass(frozen=True, slots=True)
class Timescale:
    """The extension in this database."""

    settings: Settings
    embedded: bool
    version: str | None
    """None: it is not there, and nothing below is known."""
    tables: Sequence[str] = ()
    """Those of pointq's tables of points that there are."""
    hypertables: Sequence[Hypertable] = ()
    options: Mapping[str, str] | None = None
    failed_jobs: Sequence[int] = ()


async def server(connection: AsyncConnection, settings: Settings) -> DatabaseServer:
    """Ask the server about itself. Raises psycopg.Error."""
    cursor = connection.cursor(row_factory=dict_row)
    row = await (await cursor.execute(_SERVER)).fetchone() or {}
    return DatabaseServer(
        settings=settings,
        version=row["version"],
        version_number=row["version_number"],
        username=row["username"],
        standby=row["standby"],
        encoding=row["encoding"],
        connections=row["connections"],
        free=_free(row),
        pooled=row["pid"] != connection.info.backend_pid,
        options=row["settings"],
    )


async def clock(connection: AsyncConnection) -> DatabaseClock:
    """Compare its clock. Raises psycopg.Error."""

    async def now() -> float:
        row = await (await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")).fetchone()
        return float(row[0]) if row else 0.0

    return DatabaseClock(await offset(now))


async def tables(connection: AsyncConnection, settings: Settings) -> Tables:
    """Look at the tables. Raises psycopg.Error, or ConfigError where the settings name tables that cannot be."""
    layout = Layout.of(settings)
    row = await (await connection.execute("SELECT current_user::text")).fetchone()
    return Tables(
        await read(connection, layout.names),
        str(row[0]) if row else "",
        layout.names,
        [table.shown for table in layout.tables.all if table.mapped],
        await inspect(connection, layout.tables),
    )


async def timescale(connection: AsyncConnection, settings: Settings, *, embedded: bool) -> Timescale:
    """Ask TimescaleDB, where it is, also about tables of the user's own. Raises psycopg.Error, ConfigError."""
    layout = Layout.of(settings)
    points = [table.identifier.as_string(connection) for table in layout.tables.points.values()]
    bare = Timescale(settings, embedded, await timescaledb_version(connection))
    if bare.version is None:
        return bare
    cursor = connection.cursor(row_factory=dict_row)
    row = await (await cursor.execute(_TIMESCALEDB, {"names": points})).fetchone() or {}
    return replace(
        bare,
        tables=sorted(row["there"]),
        hypertables=[Hypertable(**hypertable) for hypertable in row["hypertables"]],
        options=row["settings"] or {},
        failed_jobs=row["failed_jobs"],
    )


def _free(row: Mapping[str, Any]) -> int:
    """What is left of the tightest limit; -1 stands for no limit."""
    options = row["settings"]
    limits = [int(options["max_connections"]) - int(options["superuser_reserved_connections"])]
    limits += [limit for limit in (row["database_limit"], row["role_limit"]) if limit >= 0]
    return min(limits) - int(row["connections"])
