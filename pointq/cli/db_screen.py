"""How ``pointq db`` shows what it found and did."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pointq.cli.context import print_json
from pointq.cli.numbers import age, count, size
from pointq.store.figures import HypertableFigures, Policy, TableFigures
from pointq.store.inspection import Finding
from pointq.store.plan import Plan
from pointq.store.schema import Schema
from pointq.store.state import State


def plan(planned: Plan, *, as_json: bool) -> None:
    """The SQL of a dry run, which psql runs as it stands."""
    stages = [
        {"what": stage.what, "statements": [statement.as_string() for statement in stage.statements]}
        for stage in planned.stages
    ]
    if as_json:
        print_json({"stages": stages, "notes": planned.notes})
        return
    for stage in planned.stages:
        typer.echo(f"-- {stage.what}\nBEGIN;")
        for statement in stage.statements:
            typer.echo(f"{statement.as_string().rstrip().removesuffix(';')};")
        typer.echo("COMMIT;\n")
    if not stages:
        typer.echo("-- nothing is to be done")
    _notes(planned.notes)


def made(schema: Schema) -> None:
    """What `db init` did."""
    for table in schema.tables:
        typer.echo(f"{table:<26} {'made' if table in schema.made else 'there already'}")
    for line in _findings(schema.mapped, schema.findings):
        typer.echo(line)
    for what in schema.done:
        typer.echo(f"{'done':<26} {what}")
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed: plain tables'}")
    _notes(schema.notes)


def state(found: State) -> RenderableType:
    """What `db status` found, on a screen of 100 columns."""
    return Group(*_parts(found))


def _parts(found: State) -> Iterator[RenderableType]:
    timescale = f"TimescaleDB {found.timescaledb}" if found.timescaledb else "no TimescaleDB: plain tables"
    tables = f"  ·  tables of version {found.version}" if found.version is not None else ""
    yield Text(f"PostgreSQL {found.postgresql}  ·  {timescale}{tables}")
    if found.tables:
        yield Text("")
        yield _table(found.tables)
    policies = [policy for table in found.tables if table.hypertable for policy in table.hypertable.policies]
    if policies:
        yield Text("")
        yield from (Text(_policy(policy, found.time), style=_style(policy)) for policy in policies)
    for name in found.missing:
        yield Text(f"{name}: missing; run `pointq db init`", style="yellow")
    yield from map(Text, _findings(found.yours, found.findings))


def _table(tables: Sequence[TableFigures]) -> Table:
    columns = ("table", "rows", "size", "rows/day", "chunk", "chunks", "compressed", "ratio")
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(columns):
        shown.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    for table in tables:
        shown.add_row(table.table, count(table.rows), size(table.bytes), count(table.rows_per_day), *_chunks(table.hypertable))
    return shown


def _chunks(hypertable: HypertableFigures | None) -> tuple[str, str, str, str]:
    if hypertable is None:
        return ("-",) * 4
    ratio, share = hypertable.compression_ratio, hypertable.compressed_share
    return (
        span(hypertable.chunk_seconds),
        count(hypertable.chunks),
        "-" if share is None else f"{share:.0%}",
        "-" if ratio is None else f"{ratio:.1f}",
    )


def _policy(policy: Policy, now: datetime) -> str:
    after = f" after {span(policy.after_seconds)}" if policy.after_seconds is not None else ""
    every = f", every {span(policy.every_seconds)}" if policy.every_seconds is not None else ""
    if policy.last_run is None:
        return f"{policy.relation}: {policy.what}{after}{every}: has not run yet"
    ran = age(max((now - policy.last_run).total_seconds(), 0.0))
    failures = f", {policy.failures} failures" if policy.failures else ""
    return f"{policy.relation}: {policy.what}{after}{every}: {(policy.last_status or 'runs').lower()} {ran} ago{failures}"


def _style(policy: Policy) -> str:
    return "" if policy.last_status in {None, "Success"} else "red"


def span(seconds: float | None) -> str:
    """``12 h``, ``7 d``: a whole number of the largest unit that it is a whole number of."""
    if seconds is None:
        return "-"
    for size_, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size_ == 0:
            return f"{seconds / size_:.0f} {unit}"
    return f"{seconds:g} s"


def _findings(yours: Sequence[str], findings: Sequence[Finding]) -> Iterator[str]:
    """Say of the user's own tables what differs, column by column, with the SQL that would mend it."""
    for table in yours:
        found = [finding for finding in findings if finding.table == table]
        yield f"{table:<26} yours: {'as it must be' if not found else f'{len(found)} findings'}"
        for finding in found:
            yield f"  {finding.severity}: {f'{finding.column}: ' if finding.column else ''}{finding.problem}"
            if finding.mend:
                yield f"    {finding.mend}"


def _notes(notes: Sequence[str]) -> None:
    for note in notes:
        typer.echo(f"note: {note}", err=True)
