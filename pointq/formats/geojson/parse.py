"""From the bytes of a GeoJSON document to a TrackFile."""

import re
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointq.errors import NoTrack
from pointq.formats.documents import Positions, load, looks_like_json, numbers, read_positions, read_times
from pointq.formats.flaws import Codes, Flaw, first_flaw
from pointq.formats.geojson.features import Piece, pieces
from pointq.formats.sift import Records, to_track
from pointq.formats.track import TRACK_COLUMNS, TrackFile
from pointq.points.batch import Array
from pointq.points.columns import read_bools
from pointq.points.kinds import ColumnType

_SIGN = re.compile(
    rb'"type"[ \t\r\n]*+:[ \t\r\n]*+"(?:FeatureCollection|Feature|Point|MultiPoint|LineString|MultiLineString)"',
    re.IGNORECASE,
)
_COLUMNS = {column.name: column for column in TRACK_COLUMNS}


def looks_like_geojson(data: bytes) -> bool:
    """Whether these bytes are JSON with the type of a feature, a point or a line in it."""
    return looks_like_json(data) and _SIGN.search(data) is not None


def parse_geojson(data: bytes, *, now_us: int) -> TrackFile:
    """Read lines and points that have times; each line is a part, and so are the points of each device.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Raises FormatError
    where the bytes are not JSON, not GeoJSON, or hold neither a line nor a point with a time.
    """
    heap = _Heap()
    for piece in pieces(load(data)):
        heap.add(piece)
    if not heap.lengths:
        raise NoTrack("no track in the GeoJSON document: expected lines or points, found neither")
    records = heap.records()
    if heap.has_only_points and (records.flaws == Flaw.NO_TIME).all():
        raise NoTrack("no track in the GeoJSON document: none of its points has a time, so they are places, not fixes")
    return to_track("geojson", records, now_us)


@dataclass(slots=True)
class _Heap:
    """The values of all features, one after the other; lists of what the decoder made, one entry a position."""

    positions: list[Any] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)
    further: dict[str, list[Any]] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)
    """Positions of each feature."""
    parts: list[int] = field(default_factory=list)
    """The part of each feature."""
    misfits: list[bool] = field(default_factory=list)
    """Whether times and positions of each feature differ in number."""
    devices: list[str | None] = field(default_factory=list)
    """The device of each part."""
    _points: dict[str | None, int] = field(default_factory=dict)
    """The part of the points of each device."""

    @property
    def has_only_points(self) -> bool:
        """Whether there is no line among the features."""
        return len(self._points) == len(self.devices)

    def add(self, piece: Piece) -> None:
        """Put a feature behind the others."""
        before, count = len(self.positions), len(piece.positions)
        self.positions += piece.positions
        self.times += repeat(None, count) if piece.values.times is None else piece.values.times
        for name, values in piece.values.further.items():
            column = self.further.setdefault(name, [])
            column += repeat(None, before - len(column))
            column += values
        self.lengths.append(count)
        self.parts.append(self._part(piece))
        self.misfits.append(not piece.values.times_fit)

    def records(self) -> Records:
        """All of it as columns."""
        positions = read_positions(self.positions)
        misfit = np.repeat(np.array(self.misfits), self.lengths)
        misfits = np.where(misfit, np.uint8(Flaw.TIME_COUNT), np.uint8(Flaw.NONE))
        time, flaws = self._times(positions)
        part = np.repeat(np.array(self.parts, np.int32), self.lengths)
        columns = {"time": time, "lat": positions.lat, "lon": positions.lon} | self._further(positions)
        return Records(first_flaw(positions.flaws, misfits, flaws), columns, part, self.devices)

    def _part(self, piece: Piece) -> int:
        if piece.is_point and piece.device_id in self._points:
            return self._points[piece.device_id]
        self.devices.append(piece.device_id)
        if piece.is_point:
            self._points[piece.device_id] = len(self.devices) - 1
        return len(self.devices) - 1

    def _times(self, positions: Positions) -> tuple[NDArray[np.int64], Codes]:
        """Times from the properties, else from the position; a fourth element that is no number is none."""
        pairs = zip(self.times, positions.fourth, strict=True)
        return read_times([(_number_or_none(fourth) if time is None else time) for time, fourth in pairs])

    def _further(self, positions: Positions) -> dict[str, Array]:
        count = len(self.positions)
        columns = {
            name: _read(_COLUMNS[name].type, [*values, *repeat(None, count - len(values))])
            for name, values in self.further.items()
        }
        elevation = columns.get("elevation", positions.altitude)
        return columns | {"elevation": np.where(np.isnan(positions.altitude), elevation, positions.altitude)}


def _read(kind: ColumnType, values: list[Any]) -> Array:
    """The values of a further column; what is none of its type is NULL."""
    if kind is ColumnType.TIME:
        times, flaws = read_times(values)
        return np.where(flaws == Flaw.NONE, times, kind.value.null)
    if kind is ColumnType.BOOL:
        return read_bools(values)[0]
    floats: Array = numbers([values])[0]
    return floats


def _number_or_none(value: object) -> object:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
