"""Which table and columns everything goes into: pointq's own, or a user's.

Derived from the kinds and the settings. What stores or reads points takes its names from here and from nowhere else.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from psycopg import sql

from pointq.errors import ConfigError
from pointq.points.kinds import KINDS, Column, Kind

if TYPE_CHECKING:
    # what reads settings is not loaded into the processes that others start
    from pointq.config.keeping import TableSettings, TablesSettings

FLIGHT_FIELDS = ("flight_uuid", "flight_id", "device_id")
"""What a point's row may hold of its flight: a uuid and two texts."""

SUMMARY_FIELDS = (
    "points",
    "first_fix",
    "last_fix",
    "last_lat",
    "last_lon",
    "last_elevation",
    "min_lat",
    "min_lon",
    "max_lat",
    "max_lon",
)
"""What the row of a flight holds of its points."""

_FLIGHTS = ("kind", *FLIGHT_FIELDS, *SUMMARY_FIELDS, "updated_at")
_NO_VALUES: Mapping[str, "Value"] = {}

Value = str | int | float | bool


@dataclass(frozen=True, eq=False)  # there is one object a table; statements are remembered by it
class Table:
    """One table: pointq's name of each value that it holds, and the column that holds it."""

    schema: str | None
    name: str
    columns: Mapping[str, str]
    values: Mapping[str, Value]
    """Columns that hold the same in every row."""
    mapped: bool
    """Whether it is the user's: pointq then makes and changes nothing of it."""

    @cached_property
    def identifier(self) -> sql.Identifier:
        """Its name in a statement."""
        return sql.Identifier(*([self.schema] if self.schema else []), self.name)

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def column(self, field: str) -> sql.Identifier:
        """The column that holds that value."""
        return sql.Identifier(self.columns[field])


@dataclass(frozen=True, eq=False)
class PointsTable(Table):
    """The table of the points of one kind."""

    kind: Kind

    @cached_property
    def flight_fields(self) -> tuple[str, ...]:
        """What it holds of a point's flight, in the order in which it is sent."""
        return tuple(field for field in FLIGHT_FIELDS if field in self.columns)

    def stored(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """Those of these columns that the table has."""
        return tuple(column for column in columns if column.name in self.columns) if self.mapped else columns


@dataclass(frozen=True)
class Tables:
    """All tables."""

    points: Mapping[str, PointsTable]
    """By the name of the kind."""
    flights: Table | None
    """None: no flights are kept."""

    @property
    def all(self) -> tuple[Table, ...]:
        """The tables of points, then flights."""
        return (*self.points.values(), *([self.flights] if self.flights else []))

    @property
    def own(self) -> tuple[Table, ...]:
        """Those that pointq makes."""
        return tuple(table for table in self.all if not table.mapped)

    def to_json(self) -> dict[str, Any]:
        """The same in values of JSON, for a process of its own."""
        mapped = {name: _to_json(table) for name, table in self.points.items() if table.mapped}
        flights = _to_json(self.flights) if self.flights is not None and self.flights.mapped else self.flights is not None
        return {"points": mapped, "flights": flights}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> "Tables":
        """What `to_json` wrote."""
        mapped = {name: PointsTable(**fields, mapped=True, kind=KINDS[name]) for name, fields in said["points"].items()}
        flights = said["flights"]
        kept = (OWN_FLIGHTS if flights else None) if isinstance(flights, bool) else Table(**flights, mapped=True)
        return cls({**PLAIN.points, **mapped}, kept)


def _to_json(table: Table) -> dict[str, Any]:
    return {"schema": table.schema, "name": table.name, "columns": dict(table.columns), "values": dict(table.values)}


@cache
def own_table(kind: Kind) -> PointsTable:
    """The table that pointq itself makes for a kind."""
    names = ("flight_uuid", *(column.name for column in kind.columns))
    return PointsTable(None, kind.table, {name: name for name in names}, _NO_VALUES, mapped=False, kind=kind)


OWN_FLIGHTS = Table(None, "flights", {name: name for name in _FLIGHTS}, _NO_VALUES, mapped=False)


def tables_of(settings: "TablesSettings") -> Tables:
    """The tables that these settings mean.

    Raises ConfigError where they name what no point has, or leave out what every point needs.
    """
    points = {name: _points_table(kind, getattr(settings, name)) for name, kind in KINDS.items()}
    tables = Tables(points, _flights_table(settings.flights))
    for table in points.values():
        if tables.flights is not None and "flight_uuid" not in table.columns:
            raise ConfigError(
                f"the setting tables.{table.kind.name} has no column for flight_uuid, by which flights are kept",
                hint="add flight_uuid to its columns, or set tables.flights = false",
            )
    return tables


def _points_table(kind: Kind, given: "TableSettings") -> PointsTable:
    if _is_empty(given):
        return own_table(kind)
    own = own_table(kind)
    key = f"tables.{kind.name}"
    columns = _columns(key, given, (*FLIGHT_FIELDS, *(column.name for column in kind.columns)), own.columns)
    for field in ("time", "lat", "lon"):
        if field not in columns:
            raise ConfigError(f"the setting {key} has no column for {field}, which every point has", hint="add it to columns")
    if "flight_uuid" not in columns and "flight_id" not in columns:
        raise ConfigError(f"the setting {key} has no column for a point's flight", hint="map flight_uuid, flight_id or both")
    schema, name = _name(given, kind.table)
    return PointsTable(schema, name, columns, given.values, mapped=True, kind=kind)


def _flights_table(given: "TableSettings | bool") -> Table | None:
    if isinstance(given, bool):
        return OWN_FLIGHTS if given else None
    if _is_empty(given):
        return OWN_FLIGHTS
    columns = _columns("tables.flights", given, _FLIGHTS, OWN_FLIGHTS.columns)
    for field in ("flight_uuid", "last_fix", *(("last_lat", "last_lon") if columns.keys() & _LAST else ())):
        if field not in columns:
            raise ConfigError(
                f"the setting tables.flights has no column for {field}, without which the others cannot be kept",
                hint="add it to columns, or set tables.flights = false",
            )
    return Table(*_name(given, "flights"), columns, given.values, mapped=True)


_LAST = {"last_lat", "last_lon", "last_elevation"}


def _is_empty(given: "TableSettings") -> bool:
    return not (given.table or given.columns or given.values)


def _columns(key: str, given: "TableSettings", known: tuple[str, ...], own: Mapping[str, str]) -> Mapping[str, str]:
    for field in given.columns:
        if field not in known:
            near = difflib.get_close_matches(field, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"the setting {key} has a column for {field}, which is no value of pointq's", hint=hint)
    columns = {field: given.columns[field] for field in known if field in given.columns} or own
    names = [*columns.values(), *given.values]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"the setting {key} names the column {name} twice", hint="one column holds one value")
    return columns


def _name(given: "TableSettings", default: str) -> tuple[str | None, str]:
    schema, _, name = (given.table or default).rpartition(".")
    return schema or None, name


PLAIN = Tables({name: own_table(kind) for name, kind in KINDS.items()}, OWN_FLIGHTS)
"""The tables where nothing is mapped."""
