"""The four kinds of points, each declared once.

Validation, the frame, the COPY rows, the tables and the documentation are derived from what stands here: to add a column
or a kind is to add lines here and nowhere else.
"""

import math
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import LiteralString

NULL_TEXT = b"\xff"
"""What stands for NULL in a text column; 0xFF never occurs in UTF-8."""


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """How one type of column is held in memory and in the database."""

    dtype: str
    sql: LiteralString
    null: float | int | bytes


class ColumnType(Enum):
    """Types of columns. NULL is in band: a value of the NumPy type that no valid point can have."""

    FLOAT = TypeInfo("<f8", "float8", math.nan)
    INT = TypeInfo("<i4", "integer", -(2**31))
    BOOL = TypeInfo("i1", "boolean", -1)
    TIME = TypeInfo("<i8", "timestamptz", -(2**63))
    """Microseconds since 1970-01-01T00:00:00Z."""
    TEXT = TypeInfo("S", "text", NULL_TEXT)
    """UTF-8 without NUL bytes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one kind of point."""

    name: str
    """Its name in a batch and, unless mapped, in the table."""
    type: ColumnType
    unit: str
    description: str
    json: str
    """Its name in a JSON point."""
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    negative_is_unknown: bool = False
    """Phones say "unknown" with a negative number (Core Location, Overland, Traccar): NULL, and the fix is kept."""
    max_bytes: int = 0
    """Longest text, in bytes of UTF-8; only for text."""


@dataclass(frozen=True, eq=False)  # there is one object a kind; comparing all its fields would cost every look into a dict
class Kind:
    """One kind of point: where it comes in, where it is stored, and what it is made of."""

    name: str
    code: int
    """What stands for the kind in a frame; never reused."""
    priority: int
    endpoint: str
    table: str
    own_columns: tuple[Column, ...]
    time_json: str = "datetime"
    altitude: str = "elevation"
    """The column that holds the altitude by GNSS, for the summary of the flight."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns: time, lat, lon, then the kind's own."""
        time = Column("time", ColumnType.TIME, "UTC", "when the fix was taken", self.time_json, required=True)
        return (time, _LAT, _LON, *self.own_columns)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


def _metres(name: str, description: str) -> Column:
    # wider than any flight: below the Dead Sea's -430 m by the worst sensor error seen, above a stratospheric balloon
    return Column(name, ColumnType.FLOAT, "m", description, name, -2_000, 100_000)


def _speed(name: str, description: str) -> Column:
    return Column(name, ColumnType.FLOAT, "m/s", description, name, 0, 1_000, negative_is_unknown=True)


_LAT = Column("lat", ColumnType.FLOAT, "deg", "latitude, WGS 84, north positive", "lat", -90, 90, required=True)
_LON = Column("lon", ColumnType.FLOAT, "deg", "longitude, WGS 84, east positive", "lon", -180, 180, required=True)
_HEADING = Column(
    "heading",
    ColumnType.FLOAT,
    "deg",
    "course over ground, clockwise from true north",
    "heading",
    0,
    360,
    negative_is_unknown=True,
)
_TRACK_COLUMNS = (
    _metres("elevation", "altitude by GNSS"),
    _metres("barometric_altitude", "altitude by air pressure"),
    _speed("speed", "speed over ground"),
    _HEADING,
    Column(
        "accuracy",
        ColumnType.FLOAT,
        "m",
        "horizontal accuracy, radius",
        "accuracy",
        0,
        1_000_000,
        negative_is_unknown=True,
    ),
    Column("valid", ColumnType.BOOL, "", "whether the receiver calls the fix valid (3D)", "valid"),
)
_FLYMASTER_COLUMNS = (
    _metres("elevation", "altitude by GNSS"),
    _speed("speed", "speed over ground"),
    _HEADING,
    Column("uploaded_at", ColumnType.TIME, "UTC", "when the instrument sent the fix, by its own clock", "uploaded_at"),
)
_SCORING_COLUMNS = (
    _metres("gps_alt", "altitude by GNSS"),
    _metres("pressure_alt", "altitude by air pressure"),
    Column("time_text", ColumnType.TEXT, "", "the scoring program's own time of day", "time", max_bytes=64),
    Column("rounded_time", ColumnType.TIME, "UTC", "the time rounded by the scoring program", "rounded_time"),
    Column("validity", ColumnType.TEXT, "", "validity of the fix, as in IGC: A (3D) or V", "validity", max_bytes=64),
    Column("lad", ColumnType.INT, "", "IGC LAD: further decimals of the latitude's minutes", "lad", -(2**31) + 1, 2**31 - 1),
    Column("lod", ColumnType.INT, "", "IGC LOD: further decimals of the longitude's minutes", "lod", -(2**31) + 1, 2**31 - 1),
    _speed("speed", "speed over ground"),
    _metres("elevation", "elevation of the ground"),
    _metres("altitude_diff", "altitude gained since the fix before"),
    _metres("altitude_diff_smooth", "the same, smoothed"),
    _speed("speed_smooth", "speed over ground, smoothed"),
    Column("takeoff_condition", ColumnType.BOOL, "", "whether the fix meets the take-off condition", "takeoff_condition"),
    Column("in_flight", ColumnType.BOOL, "", "whether the pilot is flying", "in_flight"),
)

LIVE = Kind("live", 1, 1, "/tracking/live", "live_track_points", _TRACK_COLUMNS)
UPLOAD = Kind("upload", 2, 2, "/tracking/upload", "uploaded_track_points", _TRACK_COLUMNS)
SCORING = Kind("scoring", 3, 2, "/scoring/batch", "scoring_track_points", _SCORING_COLUMNS, "date_time", "gps_alt")
FLYMASTER = Kind(
    "flymaster",
    4,
    3,
    "/tracking/flymaster/upload/file",
    "flymaster_track_points",
    _FLYMASTER_COLUMNS,
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (LIVE, UPLOAD, SCORING, FLYMASTER)}
"""All kinds by name, in order of priority."""
