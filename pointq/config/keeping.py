"""Settings of how points are kept in the database: chunks, columnstore, retention, and tables of the user's own."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from pointq.config.forms import Section
from pointq.config.spans import span


def _span(text: str) -> str:
    span(text)
    return text


def _span_or_off(text: str) -> str:
    if text != "off":
        try:
            span(text)
        except ValueError as exc:
            raise ValueError(f"{exc}, or off") from exc
    return text


def _from_json(value: object) -> object:
    """Read what an environment variable says of a table."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _table_name(name: str) -> str:
    schema, dot, table = name.rpartition(".")
    if not table or "." in schema or bool(dot) != bool(schema):
        raise ValueError("expected the name of a table, with its schema before a dot where it needs one")
    return name


Span = Annotated[str, AfterValidator(_span)]
SpanOrOff = Annotated[str, AfterValidator(_span_or_off)]


class ChunkSettings(Section):
    """How long the chunks of each kind's hypertable are, as `pointq db init` sets it; older chunks stay as they are."""

    live: Span = Field(default="1 day", description="Span of a chunk of live points")
    upload: Span = Field(default="7 days", description="Span of a chunk of uploaded points")
    scoring: Span = Field(default="7 days", description="Span of a chunk of scoring points")
    flymaster: Span = Field(default="7 days", description="Span of a chunk of Flymaster points")


class ColumnstoreSettings(Section):
    """When the chunks of each kind go into TimescaleDB's columnstore, compressed; off: never."""

    live: SpanOrOff = Field(default="7 days", description="Age at which chunks of live points are compressed")
    upload: SpanOrOff = Field(default="30 days", description="Age at which chunks of uploaded points are compressed")
    scoring: SpanOrOff = Field(default="30 days", description="Age at which chunks of scoring points are compressed")
    flymaster: SpanOrOff = Field(default="30 days", description="Age at which chunks of Flymaster points are compressed")


class RetentionSettings(Section):
    """When points of each kind are dropped for ever, in whole chunks. Not set: policies are left alone; off: removed."""

    live: SpanOrOff | None = Field(default=None, description="Age at which live points are dropped", examples=["90 days"])
    upload: SpanOrOff | None = Field(default=None, description="Age at which uploaded points are dropped", examples=["off"])
    scoring: SpanOrOff | None = Field(default=None, description="Age at which scoring points are dropped", examples=["off"])
    flymaster: SpanOrOff | None = Field(
        default=None, description="Age at which Flymaster points are dropped", examples=["90 days"]
    )


class TableSettings(BaseModel):
    """A table of the user's own; one in which nothing is set is pointq's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    table: Annotated[str, AfterValidator(_table_name)] | None = None
    """Its name, with its schema before a dot; None: the name that pointq's own has."""
    columns: Mapping[str, Annotated[str, Field(min_length=1)]] = {}
    """Its column by pointq's name of what it holds; what is not listed is not stored. Empty: all, by pointq's names."""
    values: Mapping[str, bool | int | float | str] = {}
    """What columns hold in every row."""


_MapTable = Annotated[TableSettings, BeforeValidator(_from_json)]
_MapFlights = Annotated[bool | TableSettings, BeforeValidator(_from_json)]

_EXAMPLE = {
    "table": "gps.points",
    "columns": {"flight_uuid": "flight", "time": "datetime", "lat": "lat", "lon": "lon"},
    "values": {"source": "pointq"},
}


class TablesSettings(Section):
    """Tables of your own in place of pointq's; docs/tables.md says how. In the environment as JSON."""

    live: _MapTable = Field(default=TableSettings(), description="Your table of live points", examples=[_EXAMPLE])
    upload: _MapTable = Field(default=TableSettings(), description="Your table of uploaded points", examples=[_EXAMPLE])
    scoring: _MapTable = Field(default=TableSettings(), description="Your table of points from scoring", examples=[_EXAMPLE])
    flymaster: _MapTable = Field(
        default=TableSettings(), description="Your table of points from Flymaster instruments", examples=[_EXAMPLE]
    )
    flights: _MapFlights = Field(
        default=True, description="Whether a row is kept for each flight: true, false, or your table of flights"
    )
