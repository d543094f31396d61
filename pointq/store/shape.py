"""Whether a table that is there is what the writer needs."""

from collections.abc import Iterator

from pointq.points.kinds import ColumnType, Kind
from pointq.store.ddl import KEY
from pointq.store.facts import FoundColumn, Table

_TYPES = {
    ColumnType.FLOAT: "double precision",
    ColumnType.INT: "integer",
    ColumnType.BOOL: "boolean",
    ColumnType.TIME: "timestamp with time zone",
    ColumnType.TEXT: "text",
}
"""As `format_type` names them."""


def differences(kind: Kind, table: Table) -> list[str]:
    """What keeps the writer from that table, in words; more columns that the database fills are none."""
    if table.kind not in {"r", "p"}:
        return ["it is no table"]
    wanted = {"flight_uuid": ("uuid", True)}
    wanted |= {column.name: (_TYPES[column.type], column.required) for column in kind.columns}
    found = {column.name: column for column in table.columns}
    differing = [word for name, (type_, required) in wanted.items() for word in _column(name, type_, found.get(name), required)]
    more = [
        f"column {column.name} is NOT NULL without a default, and pointq does not fill it"
        for column in table.columns
        if column.name not in wanted and column.required and not column.filled
    ]
    return [*differing, *more, *_key(table)]


def _column(name: str, type_: str, found: FoundColumn | None, required: bool) -> Iterator[str]:  # noqa: FBT001
    if found is None:
        yield f"column {name} is missing, expected {type_}"
        return
    if found.type != type_:
        yield f"column {name} is {found.type}, expected {type_}"
    if found.required is not required:
        yield f"column {name} is {_nullable(found.required)}, expected {_nullable(required)}"


def _nullable(required: bool) -> str:  # noqa: FBT001
    return "NOT NULL" if required else "nullable"


def _key(table: Table) -> Iterator[str]:
    if not any(set(key) == set(KEY) for key in table.keys):
        yield f"no unique index on ({', '.join(KEY)}): points that are sent twice would be stored twice"
    for key in sorted(table.keys):
        if set(key) != set(KEY):
            yield f"a unique index on ({', '.join(key)}): points that are different would count as the same"
