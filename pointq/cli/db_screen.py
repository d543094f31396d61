"""How ``pointq db`` shows what it found and did."""

from collections.abc import Sequence

import typer

from pointq.cli.context import print_json
from pointq.store.plan import Plan
from pointq.store.schema import Schema


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
    mapped(schema)
    for what in schema.done:
        typer.echo(f"{'done':<26} {what}")
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed: plain tables'}")
    _notes(schema.notes)


def there(schema: Schema) -> None:
    """What `db status` found."""
    for table in schema.tables:
        typer.echo(f"{table:<26} there")
    for table in schema.missing:
        typer.echo(f"{table:<26} missing: run `pointq db init`")
    mapped(schema)
    typer.echo(f"{'TimescaleDB':<26} {schema.timescaledb or 'not installed'}")


def mapped(schema: Schema) -> None:
    """Say of the user's own tables what differs, column by column, with the SQL that would mend it."""
    for table in schema.mapped:
        found = [finding for finding in schema.findings if finding.table == table]
        typer.echo(f"{table:<26} yours: {'as it must be' if not found else f'{len(found)} findings'}")
        for finding in found:
            typer.echo(f"  {finding.severity}: {f'{finding.column}: ' if finding.column else ''}{finding.problem}")
            if finding.mend:
                typer.echo(f"    {finding.mend}")


def _notes(notes: Sequence[str]) -> None:
    for note in notes:
        typer.echo(f"note: {note}", err=True)
