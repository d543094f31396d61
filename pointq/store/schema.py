"""The tables: made where they are missing, brought forward and kept as the settings say; never dropped or rewritten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection, errors

from pointq.errors import DatabaseError
from pointq.points.kinds import Kind
from pointq.store import ddl, facts
from pointq.store.faults import one_line
from pointq.store.inspection import Finding, inspect
from pointq.store.layout import Layout
from pointq.store.plan import Plan, Stage, plan, refuse

_LOCK = 0x706F696E7471
"""Key of the advisory lock under which the tables are made: ``pointq`` in ASCII."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What `init` found or made."""

    tables: tuple[str, ...]
    made: tuple[str, ...]
    timescaledb: str | None
    """Version of the extension in this database."""
    missing: tuple[str, ...] = ()
    version: int | None = None
    """Of the tables, where it is written down."""
    done: tuple[str, ...] = ()
    """What was done, a transaction each."""
    notes: tuple[str, ...] = ()
    mapped: tuple[str, ...] = ()
    """The user's own tables, which pointq neither makes nor changes."""
    findings: tuple[Finding, ...] = ()
    """What differs in those from what pointq needs."""


async def init(connection: AsyncConnection, layout: Layout | None = None) -> Schema:
    """Make what is missing, and keep it as the layout says; may be called at any time, and by several at once.

    Raises DatabaseError where the user may not or the server refuses, TableError where a table is not what it should be.
    """
    layout = layout or Layout()
    before: facts.Facts | None = None
    done: list[str] = []
    async with _translated():
        while True:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                # anew each time: another one may have gone on meanwhile
                found = await facts.look(connection, layout.names)
                before = before or found
                planned = plan(found, layout)
                if not planned.stages:
                    break
                await _do(connection, planned.stages[0])
                # before it is committed: workers that wait for a table store into it as soon as it is there
                refuse(await facts.look(connection, layout.names), layout)
                done.append(planned.stages[0].what)
        findings = await inspect(connection, layout.tables)
    made = set(found.tables) - set(before.tables) if done else set()
    return _schema(layout, found, findings, made=tuple(sorted(made)), done=tuple(done), notes=planned.notes)


async def preview(connection: AsyncConnection, layout: Layout) -> Plan:
    """What `init` would do. Raises DatabaseError as it does."""
    async with _translated():
        return plan(await facts.look(connection, layout.names), layout)


async def look(connection: AsyncConnection, layout: Layout | None = None) -> Schema:
    """Which tables are there; nothing is made. Raises psycopg.Error."""
    layout = layout or Layout()
    return _schema(layout, await facts.look(connection, layout.names), await inspect(connection, layout.tables))


async def timescaledb_version(connection: AsyncConnection) -> str | None:
    """The version of TimescaleDB in this database, None where it is not."""
    cursor = await connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def make_table(connection: AsyncConnection, kind: Kind) -> None:
    """Make the table of a kind, as a hypertable where the database has TimescaleDB, and its index."""
    await connection.execute(ddl.create_table(kind))
    timescaledb = (await facts.look(connection, ())).timescaledb
    if timescaledb is not None:
        await connection.execute(ddl.create_hypertable(kind, Layout().chunk(kind), timescaledb.schema))
    await connection.execute(ddl.create_key(kind))


async def _do(connection: AsyncConnection, stage: Stage) -> None:
    for statement in stage.statements:
        await connection.execute(statement)


def _schema(
    layout: Layout,
    found: facts.Facts,
    findings: tuple[Finding, ...],
    *,
    made: tuple[str, ...] = (),
    done: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Schema:
    return Schema(
        tuple(sorted(found.tables)),
        made,
        found.timescaledb.version if found.timescaledb else None,
        tuple(sorted(set(layout.names) - set(found.tables))),
        found.version,
        done,
        notes,
        tuple(table.shown for table in layout.tables.all if table.mapped),
        findings,
    )


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except errors.InsufficientPrivilege as exc:
        raise DatabaseError(
            f"the tables cannot be made: {one_line(exc)}", hint="the database user needs the right CREATE on the schema"
        ) from exc
    except errors.DuplicateTable as exc:
        raise DatabaseError(
            f"the tables cannot be made: {one_line(exc)}", hint="move that aside (ALTER … RENAME TO …), or drop it"
        ) from exc
    except psycopg.Error as exc:
        raise DatabaseError(f"the tables cannot be made: {one_line(exc)}") from exc
