"""The tables: whether what workers write fits in, and once only."""

from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.database import Tables
from pointq.store.catalog import FoundColumn, FoundIndex, FoundTable
from pointq.store.shape import WANTED, Wanted

_SAME = {"character varying": "text"}
"""Types that take the same bytes."""


@check(
    "tables.present",
    Tables,
    what="whether the tables are there",
    why="workers pause at the first point of a kind whose table is missing; no file is imported without imports",
    mend="pointq db init",
)
def present(tables: Tables) -> Iterator[Finding]:
    """By the names, as this user sees them."""
    missing = [name for name in tables.names if name not in tables.found]
    if missing:
        yield fail(f"missing, or not in the search path: {', '.join(missing)}")
    elif tables.names:
        yield ok(f"all {len(tables.names)} tables are there")


@check(
    "tables.kind",
    Tables,
    what="whether they are tables that keep their rows",
    why="an unlogged table is emptied after a crash; a view or foreign table decides by itself what it keeps",
    mend="ALTER TABLE … SET LOGGED",
)
def kind(tables: Tables) -> Iterator[Finding]:
    """Plain or partitioned, and logged."""
    odd = False
    for table in tables.found.values():
        if table.unlogged:
            odd = True
            yield fail(f"{table.name} is unlogged: a crash empties it", f"ALTER TABLE {table.name} SET LOGGED")
        elif table.kind not in {"r", "p"}:
            odd = True
            yield warn(f"{table.name} is no table (relkind {table.kind})", f"make {table.name} a table: pointq db init")
    if tables.found and not odd:
        yield ok("all of them are tables and logged")


@check(
    "tables.columns",
    Tables,
    what="whether the columns are what the workers write",
    why="a batch for a column that is missing waits; one that the database refuses for its values becomes dead letters",
    mend="ALTER TABLE, until the columns are those of `pointq db init`",
)
def columns(tables: Tables) -> Iterator[Finding]:
    """Names, types, NOT NULL."""
    bad = [finding for wanted, table in _pairs(tables) for finding in _columns(wanted, table)]
    yield from bad
    if tables.found and not bad:
        yield ok("the columns are what the workers write")


@check(
    "tables.key",
    Tables,
    what="whether a point that is sent twice is stored once",
    why="without the unique index a point is stored as often as it is sent; a narrower one drops points that differ",
    mend="CREATE UNIQUE INDEX over the key, as `pointq db init` does",
)
def key(tables: Tables) -> Iterator[Finding]:
    """A unique index over the key and nothing narrower, which ON CONFLICT can use."""
    bad = [finding for wanted, table in _pairs(tables) for finding in _key(wanted, table)]
    yield from bad
    if tables.found and not bad:
        yield ok("each table has the unique index over its key")


@check(
    "tables.indexes",
    Tables,
    what="whether there are more indexes than needed",
    why="each further index costs about a third of every insert",
    mend="DROP INDEX, where nobody needs it",
)
def indexes(tables: Tables) -> Iterator[Finding]:
    """Any but the key, and those of `pointq db init`."""
    extra = [
        (index.name, table.name)
        for wanted, table in _pairs(tables)
        for index in table.indexes
        if not _is_key(wanted, index) and index.columns not in wanted.usual
    ]
    for name, table in extra:
        yield warn(f"{table} has the further index {name}", f"DROP INDEX {name}, if nobody needs it")
    if tables.found and not extra:
        yield ok("no further indexes")


@check(
    "tables.triggers",
    Tables,
    what="whether something else changes what is stored",
    why="a trigger or rule runs for every row, may refuse or change it, and makes COPY as slow as itself",
    mend="DROP TRIGGER or DROP RULE, where nobody needs it",
)
def triggers(tables: Tables) -> Iterator[Finding]:
    """Triggers and rules, but for TimescaleDB's own."""
    found = [(table.name, what, name) for table in tables.found.values() for what, name in _automatic(table)]
    for table, what, name in found:
        yield warn(f"{table} has the {what} {name}", f'DROP {what.upper()} "{name}" ON {table}, if nobody needs it')
    if tables.found and not found:
        yield ok("no triggers and no rules")


@check(
    "tables.constraints",
    Tables,
    what="whether a constraint may refuse points",
    why="what a CHECK or a foreign key refuses becomes dead letters, flight by flight",
    mend="ALTER TABLE … DROP CONSTRAINT, unless it is meant",
)
def constraints(tables: Tables) -> Iterator[Finding]:
    """CHECK, FOREIGN KEY, EXCLUDE."""
    found = [(table.name, constraint) for table in tables.found.values() for constraint in table.constraints]
    for table, constraint in found:
        yield warn(
            f"{table} has the constraint {constraint.name}: {constraint.definition}",
            f'ALTER TABLE {table} DROP CONSTRAINT "{constraint.name}", unless it is meant',
        )
    if tables.found and not found:
        yield ok("no constraint refuses points")


@check(
    "tables.yours",
    Tables,
    what="whether your own tables take the points",
    why="a table that would keep a point twice, or lacks a column, gets none; one that holds not all values changes points",
    mend="what `pointq db status` says, or the tables in the settings",
)
def yours(tables: Tables) -> Iterator[Finding]:
    """Where the settings name tables of the user's own."""
    for finding in tables.findings:
        where = f"{finding.table}.{finding.column}" if finding.column else finding.table
        judge = fail if finding.severity == "error" else warn
        yield judge(f"{where}: {finding.problem}", finding.mend)
    if tables.yours and not tables.findings:
        yield ok(f"{', '.join(tables.yours)}: as they must be")


@check(
    "tables.rights",
    Tables,
    what="whether the user may store",
    why="workers pause, with an alarm, where a right is missing",
    mend="GRANT INSERT, SELECT ON the tables of points, and also UPDATE ON flights",
)
def rights(tables: Tables) -> Iterator[Finding]:
    """INSERT and SELECT, UPDATE for flights, and no row security."""
    bad = False
    for wanted, table in _pairs(tables):
        missing = [right for right in wanted.rights if right not in table.rights]
        if missing:
            bad = True
            lacking = ", ".join(missing)
            yield fail(
                f"{tables.username} lacks {lacking} on {table.name}", f'GRANT {lacking} ON {table.name} TO "{tables.username}"'
            )
        if table.row_security:
            bad = True
            yield warn(f"row security is in force on {table.name}", f'ALTER ROLE "{tables.username}" BYPASSRLS')
    if tables.found and not bad:
        yield ok(f"{tables.username} may store")


def _pairs(tables: Tables) -> Iterator[tuple[Wanted, FoundTable]]:
    return ((wanted, tables.found[wanted.name]) for wanted in WANTED.values() if wanted.name in tables.found)


def _columns(wanted: Wanted, table: FoundTable) -> Iterator[Finding]:
    for name, type_ in wanted.columns.items():
        found = table.by_name.get(name)
        if found is None:
            yield fail(f"{table.name} has no column {name}", f"ALTER TABLE {table.name} ADD COLUMN {name} {type_}")
        else:
            yield from _column(wanted, table.name, found, type_)
    for column in table.columns:
        if column.name not in wanted.columns and column.required and not column.filled:
            yield fail(
                f"{table.name}.{column.name} is NOT NULL, has no default, and pointq does not know it: every point is refused",
                f'ALTER TABLE {table.name} ALTER COLUMN "{column.name}" DROP NOT NULL',
            )


def _column(wanted: Wanted, table: str, found: FoundColumn, type_: str) -> Iterator[Finding]:
    alter = f"ALTER TABLE {table} ALTER COLUMN {found.name}"
    if _SAME.get(found.type, found.type) != type_:
        yield fail(f"{table}.{found.name} is {found.type}, expected {type_}", f"{alter} TYPE {type_}")
    if found.generated:
        yield fail(f"{table}.{found.name} is generated, so it cannot be written", f"{alter} DROP EXPRESSION")
    elif found.name in wanted.required and not found.required:
        yield warn(
            f"{table}.{found.name} may be NULL, and NULLs are never equal: such a row could be there twice",
            f"{alter} SET NOT NULL",
        )
    elif found.required and found.name not in wanted.required and not found.filled:
        yield fail(f"{table}.{found.name} is NOT NULL: points without it are refused", f"{alter} DROP NOT NULL")


def _key(wanted: Wanted, table: FoundTable) -> Iterator[Finding]:
    if not any(_is_key(wanted, index) for index in table.indexes):
        near = next((f" ({_why_not(index)})" for index in table.indexes if set(index.columns) == wanted.keys), "")
        yield fail(
            f"{table.name} has no unique index on ({', '.join(wanted.key)}) that ON CONFLICT can use{near}",
            f"CREATE UNIQUE INDEX ON {table.name} ({', '.join(wanted.key)})",
        )
    for index in table.indexes:
        # over a column that pointq does not write, such as a serial id, no two points are ever equal
        narrower = set(index.columns) <= set(wanted.columns) and not set(index.columns) >= wanted.keys
        if index.unique and narrower and index.columns not in wanted.usual:
            yield fail(
                f"the unique index {index.name} on ({', '.join(index.columns)}) is narrower than the key: "
                "points that differ are taken for the same",
                f"DROP INDEX {index.name}" if not index.primary else f"ALTER TABLE {table.name} DROP CONSTRAINT {index.name}",
            )


def _is_key(wanted: Wanted, index: FoundIndex) -> bool:
    return index.decides and set(index.columns) == wanted.keys


def _why_not(index: FoundIndex) -> str:
    if not index.unique:
        return f"{index.name} is not unique"
    if not index.valid:
        return f"{index.name} is not valid: its making was broken off"
    return f"{index.name} is deferrable" if not index.immediate else f"{index.name} covers a part of the rows"


def _automatic(table: FoundTable) -> Iterator[tuple[str, str]]:
    yield from (("trigger", name) for name in table.triggers)
    yield from (("rule", name) for name in table.rules if table.kind != "v")
