"""Where one connection writes the points of a kind, once it is known that they can go there."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from pointq.errors import TableError
from pointq.points.kinds import Column, Kind
from pointq.store.faults import one_line
from pointq.store.inspection import Finding, check_flights, check_key, check_points, takes_copy
from pointq.store.mapping import PointsTable, Table, Tables
from pointq.store.safety import refuse_unsafe
from pointq.store.table_facts import TableFacts, look_at


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One table of points, and the flights that are kept with it."""

    table: PointsTable
    flights: Table | None
    by_copy: bool
    """Whether it takes COPY: its columns have the very types that are sent."""
    constants: tuple[bytes, ...] = ()
    """What is the same in every row, in PostgreSQL's binary format, each of its column's type."""

    def columns(self, sent: tuple[Column, ...]) -> tuple[Column, ...]:
        """Those of the batch's columns that it has."""
        return self.table.stored(sent)


async def target_of(connection: AsyncConnection[Any], tables: Tables, kind: Kind) -> Target:
    """The target for points of that kind. Of pointq's own tables only that is asked which the server would not refuse.

    Raises TableError where the table would not keep what pointq promises, psycopg.Error where it cannot be looked at.
    """
    table = tables.points[kind.name]
    await refuse_unsafe(connection, table)
    if tables.flights is not None and tables.flights.mapped:
        _refuse(check_flights(tables.flights, await look_at(connection, tables.flights)))
    facts = await look_at(connection, table)
    if not table.mapped:
        _refuse(check_key(table, facts) if facts else ())
        return Target(table, tables.flights, by_copy=True)
    _refuse(check_points(table, facts))
    assert facts is not None  # noqa: S101 - a table that is not there was refused
    return Target(table, tables.flights, takes_copy(table, facts), await _constants(connection, table, facts))


async def _constants(connection: AsyncConnection[Any], table: PointsTable, facts: TableFacts) -> tuple[bytes, ...]:
    """The fixed values as the server itself would send them: it knows every type there is."""
    if not table.values:
        return ()
    types = {column.name: column.unbounded for column in facts.columns}
    casts = [
        # as the catalog writes it, quoted where it must be
        sql.SQL("CAST({} AS {})").format(value, sql.SQL(types[name]))
        for name, value in table.values.items()
    ]
    async with connection.cursor(binary=True) as cursor:
        try:
            await cursor.execute(sql.SQL("SELECT ") + sql.SQL(", ").join(casts))
        except (psycopg.DataError, psycopg.ProgrammingError) as exc:
            raise TableError(
                f"a fixed value does not fit into {table.shown}: {one_line(exc)}", hint=f"correct tables.{table.kind.name}"
            ) from exc
        result = cursor.pgresult
        return tuple(result.get_value(0, i) or b"" for i in range(len(table.values))) if result else ()


def _refuse(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.severity == "error":
            where = f"the column {finding.column} of {finding.table}" if finding.column else f"the table {finding.table}"
            raise TableError(f"{where} cannot be used: {finding.problem}", hint="`pointq db init` says what would mend it")
