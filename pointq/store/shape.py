"""What pointq's tables must be, and whether one that is there is so."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pointq.points.kinds import KINDS, ColumnType, Kind
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


_TIME, _FLOAT, _TEXT = _TYPES[ColumnType.TIME], _TYPES[ColumnType.FLOAT], _TYPES[ColumnType.TEXT]


@dataclass(frozen=True)
class Wanted:
    """A table as the workers need it."""

    name: str
    columns: dict[str, str]
    """The columns that are written, and their types."""
    key: tuple[str, ...]
    required: tuple[str, ...]
    """Columns that are never written as NULL."""
    rights: tuple[str, ...]
    usual: tuple[tuple[str, ...], ...] = ()
    """Columns of the indexes that `pointq db init` makes besides the key."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The columns of the key."""
        return frozenset(self.key)


def _points(kind: Kind) -> Wanted:
    columns = {"flight_uuid": "uuid"} | {column.name: _TYPES[column.type] for column in kind.columns}
    return Wanted(kind.table, columns, KEY, KEY, ("INSERT", "SELECT"))


_FLIGHTS = Wanted(
    "flights",
    {
        "kind": _TEXT,
        "flight_uuid": "uuid",
        "flight_id": _TEXT,
        "device_id": _TEXT,
        "points": "bigint",
        **dict.fromkeys(("first_fix", "last_fix"), _TIME),
        **dict.fromkeys(("last_lat", "last_lon", "last_elevation", "min_lat", "min_lon", "max_lat", "max_lon"), _FLOAT),
        **dict.fromkeys(("created_at", "updated_at"), _TIME),
    },
    ("kind", "flight_uuid"),
    ("kind", "flight_uuid", "points", "created_at", "updated_at"),
    ("INSERT", "SELECT", "UPDATE"),
    (("flight_id",), ("kind", "device_id")),
)
_IMPORTS = Wanted(
    "imports",
    {
        "content": "bytea",
        **dict.fromkeys(("options", "file", "format", "kind", "logger", "device", "pointq_version"), _TEXT),
        "flight_ids": f"{_TEXT}[]",
        "flight_uuids": "uuid[]",
        "flight_points": "bigint[]",
        **dict.fromkeys(("records", "points", "rejected", "duplicates"), "bigint"),
        **dict.fromkeys(("first_fix", "last_fix", "imported_at"), _TIME),
        **dict.fromkeys(("highest", "length_km"), _FLOAT),
    },
    ("content", "options"),
    (
        *("content", "options", "file", "format", "kind", "flight_ids", "flight_uuids", "flight_points"),
        *("records", "points", "rejected", "duplicates", "first_fix", "last_fix", "imported_at", "pointq_version"),
    ),
    ("INSERT", "SELECT", "UPDATE"),
)
_TOKENS = Wanted(
    "pointq_tokens",
    {
        "hash": "bytea",
        "name": _TEXT,
        "scopes": f"{_TEXT}[]",
        "device": _TEXT,
        **dict.fromkeys(("created_at", "expires_at", "revoked_at"), _TIME),
    },
    ("hash",),
    ("hash", "name", "scopes", "created_at"),
    ("SELECT",),
    (("name",),),
)
WANTED = {wanted.name: wanted for wanted in (*map(_points, KINDS.values()), _FLIGHTS, _IMPORTS, _TOKENS)}
"""By its name."""


def differences(wanted: Wanted, table: Table) -> list[str]:
    """What keeps pointq from that table, in words; more columns that the database fills are none."""
    if table.kind not in {"r", "p"}:
        return ["it is no table"]
    found = {column.name: column for column in table.columns}
    differing = [
        word
        for name, type_ in wanted.columns.items()
        for word in _column(name, type_, found.get(name), required=name in wanted.required)
    ]
    more = [
        f"column {column.name} is NOT NULL without a default, and pointq does not fill it"
        for column in table.columns
        if column.name not in wanted.columns and column.required and not column.filled
    ]
    return [*differing, *more, *_key(wanted, table)]


def _column(name: str, type_: str, found: FoundColumn | None, *, required: bool) -> Iterator[str]:
    if found is None:
        yield f"column {name} is missing, expected {type_}"
        return
    if found.type != type_:
        yield f"column {name} is {found.type}, expected {type_}"
    if found.required is not required:
        yield f"column {name} is {_nullable(found.required)}, expected {_nullable(required)}"


def _nullable(required: bool) -> str:  # noqa: FBT001
    return "NOT NULL" if required else "nullable"


def _key(wanted: Wanted, table: Table) -> Iterator[str]:
    if not any(set(key) == wanted.keys for key in table.keys):
        yield f"no unique index on ({', '.join(wanted.key)}), whole and at once: what is sent twice would be stored twice"
    for key in sorted(table.keys):
        if set(key) != wanted.keys:
            yield f"a unique index on ({', '.join(key)}): points that are different would count as the same"
    for name in table.deferrable:
        yield f"the constraint {name} is deferrable, which ON CONFLICT cannot work with"
