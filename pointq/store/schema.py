"""The tables: made where they are missing, never changed or dropped."""

from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection, errors, sql

from pointq.errors import DatabaseError
from pointq.points.kinds import Kind
from pointq.store.faults import one_line
from pointq.store.inspection import Finding, inspect
from pointq.store.mapping import OWN_FLIGHTS, PLAIN, Tables
from pointq.store.statements import sql_type, text

_LOCK = 0x706F696E7471
"""Key of the advisory lock under which the tables are made: ``pointq`` in ASCII."""

_CHUNK = {"live": "1 day"}
"""Span of time of a hypertable's chunks where a day's flights do not make a week's a better size."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What `init` found or made."""

    tables: tuple[str, ...]
    made: tuple[str, ...]
    timescaledb: str | None
    """Version of the extension in this database."""
    missing: tuple[str, ...] = ()
    mapped: tuple[str, ...] = ()
    """The user's own tables, which pointq neither makes nor changes."""
    findings: tuple[Finding, ...] = ()
    """What differs in those from what pointq needs."""


_BESIDE = ("flights", "imports")
"""Tables with a file of SQL each. The ledger of imports asks pointq's own flights what is stored: it goes with them."""


def create_table(kind: Kind) -> sql.Composed:
    """``CREATE TABLE`` for that kind."""
    columns: list[sql.Composable] = [sql.SQL("flight_uuid uuid NOT NULL")]
    columns += [
        sql.SQL("{name} {type}{null}").format(
            name=sql.Identifier(column.name),
            type=sql_type(column),
            null=sql.SQL(" NOT NULL" if column.required else ""),
        )
        for column in kind.columns
    ]
    return sql.SQL("CREATE TABLE IF NOT EXISTS {table} (\n    {columns}\n)").format(
        table=sql.Identifier(kind.table), columns=sql.SQL(",\n    ").join(columns)
    )


def create_hypertable(kind: Kind, functions: str = "public") -> sql.Composed:
    """Make the table a hypertable, without TimescaleDB's own index on time: it would cost a third of every insert.

    `functions` is the schema of the extension, which need not be one that names are looked up in.
    """
    return sql.SQL(
        "SELECT {functions}.create_hypertable({table}, {functions}.by_range('time', {chunk}::interval), "
        "create_default_indexes => false, if_not_exists => true)"
    ).format(
        functions=sql.Identifier(functions),
        table=sql.Literal(kind.table),
        chunk=sql.Literal(_CHUNK.get(kind.name, "7 days")),
    )


def create_key(kind: Kind) -> sql.Composed:
    """The one index: what makes a point that is sent twice one point."""
    return sql.SQL("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {table} (flight_uuid, time, lat, lon)").format(
        index=sql.Identifier(f"{kind.table}_key"), table=sql.Identifier(kind.table)
    )


async def init(connection: AsyncConnection, mapping: Tables = PLAIN) -> Schema:
    """Make pointq's own tables that are missing, as hypertables where the database has TimescaleDB; may be called at any time.

    Raises DatabaseError where the user may not, or the server refuses.
    """
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            before = await tables(connection, mapping)
            version = await timescaledb_version(connection)
            for table in mapping.points.values():
                if not table.mapped and table.name not in before:
                    await make_table(connection, table.kind)
            if OWN_FLIGHTS is mapping.flights:
                for name in _BESIDE:
                    await connection.execute(sql.SQL(text(name)))
            after = await tables(connection, mapping)
            findings = await inspect(connection, mapping)
    except errors.InsufficientPrivilege as exc:
        raise DatabaseError(
            f"the tables cannot be made: {one_line(exc)}", hint="the database user needs the right CREATE on the schema"
        ) from exc
    except psycopg.Error as exc:
        raise DatabaseError(f"the tables cannot be made: {one_line(exc)}") from exc
    made = tuple(sorted(after - before))
    return Schema(tuple(sorted(after)), made, version, mapped=_mapped(mapping), findings=findings)


async def look(connection: AsyncConnection, mapping: Tables = PLAIN) -> Schema:
    """Which tables are there; nothing is made."""
    there = await tables(connection, mapping)
    missing = set(_own(mapping)) - there
    version, findings = await timescaledb_version(connection), await inspect(connection, mapping)
    return Schema(tuple(sorted(there)), (), version, tuple(sorted(missing)), _mapped(mapping), findings)


def _mapped(mapping: Tables) -> tuple[str, ...]:
    return tuple(table.shown for table in mapping.all if table.mapped)


async def tables(connection: AsyncConnection, mapping: Tables = PLAIN) -> set[str]:
    """Those of pointq's own tables that are there."""
    cursor = await connection.execute(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", (_own(mapping),)
    )
    return {row[0] for row in await cursor.fetchall()}


def _own(mapping: Tables) -> list[str]:
    names = [table.name for table in mapping.own]
    return [*names, "imports"] if OWN_FLIGHTS is mapping.flights else names


NAMES = tuple(_own(PLAIN))
"""The tables that pointq works with where nothing is mapped."""


async def timescaledb_version(connection: AsyncConnection) -> str | None:
    """The version of TimescaleDB in this database, None where it is not."""
    cursor = await connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def make_table(connection: AsyncConnection, kind: Kind) -> None:
    """Make the table of a kind, as a hypertable where the database has TimescaleDB, and its index."""
    await connection.execute(create_table(kind))
    if (functions := await _timescaledb_schema(connection)) is not None:
        await connection.execute(create_hypertable(kind, functions))
    await connection.execute(create_key(kind))


async def _timescaledb_schema(connection: AsyncConnection) -> str | None:
    cursor = await connection.execute(
        "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'timescaledb'"
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else None
