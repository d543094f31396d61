"""GeoJSON (RFC 7946): a FeatureCollection of one LineString; times and further columns as lists beside its positions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from pointq.formats.writers.sections import About, Section, joined
from pointq.formats.writers.texts import time_texts, value_texts
from pointq.points.batch import Array, PointBatch
from pointq.points.kinds import SCORING, Column, ColumnType

_GROUND = "ground_elevation"
"""What scoring's `elevation` is called: readers would take ``elevation`` for the flight's."""


def geojson_sections(about: About) -> Sequence[Section]:
    """The positions with the altitude by GNSS as third number, then `coordinateProperties`: times, and a list for each column.

    Values that are NULL are null in the lists; a position without altitude has two numbers. One point alone is no line: it
    is a Point, its time and values being properties of their own.
    """
    return [_point(about)] if about.survey.points == 1 else _line(about)


def _line(about: About) -> Sequence[Section]:
    properties = orjson.dumps(_about(about))[1:-1]
    positions = joined(b",", _positions)
    head = _head(about) + b'"geometry":{"type":"LineString","coordinates":['
    times = b"]},\n" + b'"properties":{' + properties + b',"coordinateProperties":{"times":['
    return [
        Section(head, positions, times),
        Section(b"", joined(b",", lambda batch: _listed(time_texts(batch.time, about.survey.second_digits))), b"]"),
        *(
            Section(b',\n"%s":[' % _name(about, column).encode(), joined(b",", _values(column, about)), b"]")
            for column in _further(about)
        ),
        Section(b"", lambda _: b"", b"}}}]}\n"),
    ]


def _point(about: About) -> Section:
    head = _head(about) + b'"geometry":{"type":"Point","coordinates":'

    def points(batch: PointBatch) -> bytes:
        values = {_name(about, column): orjson.Fragment(_values(column, about)(batch)) for column in _further(about)}
        time = {"time": time_texts(batch.time, about.survey.second_digits)[0]}
        return _positions(batch) + b"},\n" + b'"properties":' + orjson.dumps({**_about(about), **time, **values})

    return Section(head, points, b"}]}\n")


def _head(about: About) -> bytes:
    return b'{"type":"FeatureCollection","features":[{"type":"Feature","id":"%s",\n' % str(about.flight.uuid).encode()


def _about(about: About) -> dict[str, Any]:
    flight = about.flight
    return {
        "kind": about.kind.name,
        "flight_uuid": flight.uuid,
        "flight_id": flight.flight_id,
        "device_id": flight.device_id,
        "points": about.survey.points,
    }


def _further(about: About) -> list[Column]:
    return [column for column in about.kind.own_columns if column.name in about.survey.columns - {about.kind.altitude}]


def _name(about: About, column: Column) -> str:
    return _GROUND if about.kind is SCORING and column.name == "elevation" else column.name


def _positions(batch: PointBatch) -> bytes:
    """The positions with commas between."""
    altitude = batch.column(batch.kind.altitude)
    flat = np.stack([batch.columns["lon"], batch.columns["lat"]], axis=1)
    if np.isnan(altitude).all():
        return _listed(flat)
    rows = np.column_stack([flat, altitude])
    if not np.isnan(altitude).any():
        return _listed(rows)
    return _listed([row if row[2] == row[2] else row[:2] for row in rows.tolist()])


def _values(column: Column, about: About) -> Callable[[PointBatch], bytes]:
    def text(batch: PointBatch) -> bytes:
        return _listed(_jsonable(column, batch.column(column.name), about.survey.second_digits))

    return text


def _jsonable(column: Column, values: Array, digits: int) -> Any:  # noqa: ANN401 - whatever orjson takes
    match column.type:
        case ColumnType.FLOAT:
            return values  # NaN becomes null
        case ColumnType.BOOL:
            return [None if value == column.type.value.null else bool(value) for value in values.tolist()]
        case ColumnType.INT:
            return [None if value == column.type.value.null else value for value in values.tolist()]
        case _:
            return value_texts(column, values, digits)


def _listed(values: Any) -> bytes:  # noqa: ANN401 - whatever orjson takes
    """The values with commas between, without the brackets."""
    if isinstance(values, np.ndarray):
        values = np.ascontiguousarray(values)
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
