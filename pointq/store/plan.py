"""What is to be done to a database so that its tables are as wished: decided from facts, nothing asked or changed here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from pointq.errors import DatabaseError, TableError
from pointq.points.kinds import Kind
from pointq.store import ddl
from pointq.store.facts import Extension, Facts, Hypertable, Table
from pointq.store.layout import Layout
from pointq.store.safety import UPDATE, unsafe
from pointq.store.shape import WANTED, differences
from pointq.store.statements import text

Statement = sql.SQL | sql.Composed


@dataclass(frozen=True, slots=True)
class Stage:
    """Statements that are one transaction."""

    what: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in their order, and what is left as it is and may surprise."""

    stages: tuple[Stage, ...]
    notes: tuple[str, ...]


Step = Callable[[Facts], Iterable[Statement]]


def _flights(facts: Facts) -> Iterator[Statement]:
    yield sql.SQL(text("flights"))
    yield from _index("flights_by_id", ("flight_id",), facts)
    yield sql.SQL(text("imports"))


def _flights_by_device(facts: Facts) -> Iterator[Statement]:
    yield from _index("flights_by_device", ("kind", "device_id"), facts)


def _index(name: str, columns: tuple[str, ...], facts: Facts) -> Iterator[Statement]:
    """An index of flights, known by its columns: its name may be that of a table that was moved aside."""
    flights = facts.tables.get("flights")
    if flights is None or columns not in flights.indexes:
        yield sql.SQL(text(name))


MIGRATIONS: Sequence[tuple[str, Step]] = (
    ("the tables", _flights),
    ("an index for the flights of a device", _flights_by_device),
)
"""Steps of flights and what goes with them, the first makes version 1. Each may be done again where it is done already."""

VERSION = len(MIGRATIONS)
"""What the tables are when every step is done."""


def plan(facts: Facts, layout: Layout) -> Plan:
    """What to do.

    Raises TableError where a newer pointq made the tables or one is not what it should be, DatabaseError where a wish cannot
    be had here.
    """
    refuse(facts, layout)
    notes: list[str] = []
    stages = [*_tables(facts, layout)]
    for kind in layout.kinds:
        stages += _kind_stages(kind, facts, layout, notes)
    return Plan(tuple(stages), tuple(notes))


def refuse(facts: Facts, layout: Layout) -> None:
    """Raises TableError and DatabaseError as `plan` does."""
    if facts.version is not None and facts.version > VERSION:
        raise TableError(
            f"the tables are of version {facts.version}, which a newer pointq made; this one knows up to {VERSION}",
            hint="upgrade pointq on this machine",
        )
    for name in layout.names:
        table = facts.tables.get(name)
        if table is not None and (wrong := differences(WANTED[name], table)):
            own = ", or say that it is yours: tables.flights = false, or docs/tables.md" if name == "flights" else ""
            raise TableError(
                f"the table {name} is not what pointq expects: {'; '.join(wrong)}",
                hint=f"move it aside (ALTER TABLE {name} RENAME TO …), or correct it{own}",
            )
        if table is not None and table.hypertable is not None and table.hypertable.columnstore:
            _refuse_unsafe(facts, table)
    if layout.postgis and "postgis" not in facts.extensions:
        raise DatabaseError("database.postgis is set, and this database has no PostGIS", hint="CREATE EXTENSION postgis")
    if layout.rollups and _edition(facts) is None:
        raise DatabaseError("rollups are continuous aggregates of TimescaleDB, which this database does not have")


def _refuse_unsafe(facts: Facts, table: Table) -> None:
    if facts.timescaledb is not None and not facts.timescaledb.keeps_late_rows:
        raise TableError(unsafe(facts.timescaledb.version, table.name), hint=UPDATE)


def _edition(facts: Facts) -> Extension | None:
    """TimescaleDB with columnstore, policies and aggregates: under the Apache license it has none of them."""
    found = facts.timescaledb
    return found if found is not None and found.license != "apache" else None


def _tables(facts: Facts, layout: Layout) -> Iterator[Stage]:
    """Make what is missing, then one step after the other."""
    missing = [name for name in layout.names if name not in facts.tables]
    version = facts.version
    if version is None or missing:
        # tables without a version are those of version 1
        version = version or 1
        made = [statement for kind in layout.kinds if kind.table in missing for statement in _make(kind, facts, layout)]
        tokens = [sql.SQL(text("pointq_tokens"))] if "pointq_tokens" in missing else []
        steps = [statement for _, step in MIGRATIONS[:version] for statement in _step(step, facts, layout)]
        what = f"make {', '.join(missing)}" if missing else "write down the version of the tables"
        yield Stage(what, (sql.SQL(text("schema_versions")), *made, *tokens, *steps, _reached(version)))
    for number, (what, step) in enumerate(MIGRATIONS[version:], version + 1):
        yield Stage(f"version {number}: {what}", (*_step(step, facts, layout), _reached(number)))


def _step(step: Step, facts: Facts, layout: Layout) -> Iterable[Statement]:
    return step(facts) if layout.keeps_flights else ()


def _reached(version: int) -> sql.Composed:
    return sql.SQL("INSERT INTO pointq_schema (version) VALUES ({}) ON CONFLICT DO NOTHING").format(sql.Literal(version))


def _make(kind: Kind, facts: Facts, layout: Layout) -> Iterator[Statement]:
    yield ddl.create_table(kind, postgis=facts.extensions["postgis"].schema if layout.postgis else None)
    if facts.timescaledb is not None:
        yield ddl.create_hypertable(kind, layout.chunk(kind), facts.timescaledb.schema)
    yield ddl.create_key(kind)


def _kind_stages(kind: Kind, facts: Facts, layout: Layout, notes: list[str]) -> Iterator[Stage]:
    statements = [*_statements(kind, facts, layout, notes)]
    if statements:
        yield Stage(f"how {kind.table} is kept", tuple(statements))


def _statements(kind: Kind, facts: Facts, layout: Layout, notes: list[str]) -> Iterator[Statement]:
    table = facts.tables.get(kind.table)
    if table is not None and layout.postgis:
        yield from _geom(kind, table, facts.extensions["postgis"], notes)
    found = facts.timescaledb
    if found is None:
        if layout.drop_after(kind):
            notes.append(f"{kind.table}: nothing is dropped, since this database has no TimescaleDB")
        return
    if table is None:
        hypertable = Hypertable(layout.chunk(kind), False, None, None, {})
    elif table.hypertable is not None:
        hypertable = table.hypertable
    elif table.empty:
        yield ddl.create_hypertable(kind, layout.chunk(kind), found.schema)
        hypertable = Hypertable(layout.chunk(kind), False, None, None, {})
    else:
        notes.append(f"{kind.table}: stays a plain table, since it holds points; docs/database.md says how to convert it")
        return
    if hypertable.chunk != layout.chunk(kind):
        yield ddl.set_chunk(kind, layout.chunk(kind), found.schema)
    yield from _policies(kind, hypertable, facts, layout, notes)


def _geom(kind: Kind, table: Table, postgis: Extension, notes: list[str]) -> Iterator[Statement]:
    if any(column.name == "geom" for column in table.columns):
        return
    if table.empty and not (table.hypertable and table.hypertable.columnstore):
        yield ddl.add_geom(kind, postgis.schema)
        return
    notes.append(f"{kind.table}: gets no column geom, since that would rewrite a table that holds points or is compressed")


def _policies(kind: Kind, found: Hypertable, facts: Facts, layout: Layout, notes: list[str]) -> Iterator[Statement]:
    edition = _edition(facts)
    if edition is None:
        notes.append(f"{kind.table}: neither compressed nor dropped, which TimescaleDB cannot under the Apache license")
        return
    if edition.keeps_late_rows:
        yield from _columnstore(kind, found, layout, edition.schema)
    elif layout.compress_after(kind):
        notes.append(f"not compressed: {unsafe(edition.version, kind.table)}")
    yield from _retention(kind, found, layout, edition.schema)
    yield from _rollup(kind, found, layout, edition.schema)


def _rollup(kind: Kind, found: Hypertable, layout: Layout, functions: str) -> Iterator[Statement]:
    """Its minutes outlive the points: where those may be dropped, by whichever policy, they are not counted again."""
    name = ddl.rollup_name(kind)
    keep = layout.drop_after(kind) or (None if layout.keeps_for_ever(kind) else found.drop_after)
    since = None if keep is None else max(keep - layout.chunk(kind), keep / 2)
    if name not in found.rollups:
        if not layout.rollups:
            return
        yield ddl.create_rollup(kind, functions)
    elif found.rollups[name] == since:
        return
    else:
        yield ddl.remove_refresh(kind, functions)
    yield ddl.refresh_rollup(kind, since, functions)


def _columnstore(kind: Kind, found: Hypertable, layout: Layout, functions: str) -> Iterator[Statement]:
    wanted = layout.compress_after(kind)
    if found.compress_after is not None and found.compress_after != wanted:
        yield ddl.remove_columnstore_policy(kind, functions)
    if wanted is None:
        return
    if not found.columnstore:
        yield ddl.enable_columnstore(kind)
    if wanted != found.compress_after:
        yield ddl.add_columnstore_policy(kind, wanted, functions)


def _retention(kind: Kind, found: Hypertable, layout: Layout, functions: str) -> Iterator[Statement]:
    wanted = layout.drop_after(kind)
    changed = wanted is not None and found.drop_after != wanted
    if found.drop_after is not None and (changed or layout.keeps_for_ever(kind)):
        yield ddl.remove_retention_policy(kind, functions)
    if wanted is not None and changed:
        yield ddl.add_retention_policy(kind, wanted, functions)
