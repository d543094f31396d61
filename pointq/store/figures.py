"""How large the tables are, how they are kept, and how fast they grow."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection, sql

from pointq.store import facts
from pointq.store.layout import Layout
from pointq.store.statements import text

DAYS = 7
"""Over which days rows are counted."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Something that TimescaleDB does by itself."""

    what: str
    """``compress``, ``drop``, ``refresh``, or the name of another procedure."""
    relation: str
    after_seconds: float | None
    """Age of the chunks that it takes."""
    every_seconds: float | None
    last_run: dt.datetime | None
    last_status: str | None
    failures: int | None


@dataclass(frozen=True, slots=True)
class HypertableFigures:
    """The chunks of a hypertable, and what compressing did to those that are compressed."""

    chunk_seconds: float | None
    chunks: int
    compressed_chunks: int
    compressed_share: float | None
    """Compressed chunks of all, from 0 to 1; None where there is no chunk."""
    before_bytes: int | None
    after_bytes: int | None
    compression_ratio: float | None
    """Before to after: 12 means a twelfth is left."""
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class TableFigures:
    """One table that is there."""

    table: str
    kind: str | None
    yours: bool
    """Whether it is the user's own."""
    bytes: int
    """With indexes."""
    rows: int | None
    """As the server supposes; None where it has not counted yet."""
    rows_per_day: float | None
    """Over the last `DAYS` days; None where pointq keeps no flights that would know."""
    days: Mapping[str, int] | None
    """The same by day of the flights' end, in UTC; days without any are left out."""
    hypertable: HypertableFigures | None


async def measure(connection: AsyncConnection[Any], layout: Layout) -> tuple[TableFigures, ...]:
    """The figures of every table that is there, pointq's own and the user's. Raises psycopg.Error."""
    mapped = {table.identifier.as_string(connection): table for table in layout.tables.all if table.mapped}
    kinds = {table.shown: table.kind.name for table in layout.tables.points.values()}
    timescaledb = (await facts.look(connection, ())).timescaledb
    cursor = await connection.execute(text("figures_tables"), {"names": [*layout.names, *mapped]})
    rows = await cursor.fetchall()
    days = await _days(connection) if layout.keeps_flights and any(row[0] == "flights" for row in rows) else None
    found = []
    for name, schema, relation, size, supposed in rows:
        shown = mapped[name].shown if name in mapped else name
        kind = kinds.get(shown)
        lately = days[kind] if days is not None and kind is not None else None
        per_day = None if lately is None else sum(lately.values()) / DAYS
        figures = TableFigures(shown, kind, name in mapped, size, supposed, per_day, lately, None)
        if timescaledb is not None:
            figures = await _as_hypertable(connection, timescaledb.schema, (schema, relation), figures)
        found.append(figures)
    return tuple(found)


async def _days(connection: AsyncConnection[Any]) -> Mapping[str, Mapping[str, int]]:
    days: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for kind, day, points in await (await connection.execute(text("figures_days"))).fetchall():
        days[kind][day] = points
    return days


async def _as_hypertable(
    connection: AsyncConnection[Any], functions: str, name: Sequence[str], figures: TableFigures
) -> TableFigures:
    """The figures of a table, given by schema and name, with what they are where it is a hypertable."""
    places = {"schema": name[0], "name": name[1]}
    query = sql.SQL(text("figures_hypertable")).format(functions=sql.Identifier(functions))
    row = await (await connection.execute(query, places)).fetchone()
    if row is None:
        return figures
    size, rows, seconds, chunks, compressed, before, after = row
    policies = await (await connection.execute(text("figures_policies"), places)).fetchall()
    share = compressed / chunks if chunks else None
    ratio = before / after if before and after else None
    kept = tuple(Policy(*policy) for policy in policies)
    hypertable = HypertableFigures(seconds, chunks, compressed, share, before, after, ratio, kept)
    return replace(figures, bytes=size, rows=rows, hypertable=hypertable)
