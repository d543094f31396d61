"""The features of a GeoJSON document, and what of each is a track."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from pointq.errors import UnknownFormat
from pointq.formats.documents import as_list, as_object
from pointq.formats.geojson.properties import Values, of_line, of_point
from pointq.formats.sift import device_id
from pointq.points.shown import shown

_COLLECTION, _FEATURE = "featurecollection", "feature"
_POINT = "point"
_LINES = {"linestring": 1, "multipoint": 1, "multilinestring": 2}
"""Geometries that have several positions: how many lists deep these lie."""
_OTHERS = {"polygon", "multipolygon", "geometrycollection"}
"""Geometries that are no tracks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Positions of one feature and what belongs to them, as the decoder made it."""

    positions: list[Any]
    values: Values
    device_id: str | None
    is_point: bool
    """Whether it is a single fix, which is of one track with the other points of its device."""


@dataclass(frozen=True, slots=True)
class _Feature:
    geometry: dict[str, Any]
    properties: Mapping[str, Any] = field(default_factory=dict)
    where: str = "the document"


def pieces(document: dict[str, Any]) -> Iterator[Piece]:
    """The points and lines of a document; other geometries are left out.

    Raises FormatError where the document is no GeoJSON, or a part of it has another shape than GeoJSON says.
    """
    for feature in _features(document):
        found = _piece(feature)
        if found is not None:
            yield found


def _features(document: dict[str, Any]) -> Iterator[_Feature]:
    kind = _kind(document)
    if kind == _COLLECTION or "locations" in document:
        # what Overland sends has another name and no type
        name = "features" if kind == _COLLECTION else "locations"
        for place, feature in enumerate(as_list(document.get(name), name)):
            where = f"{name}[{place}]"
            yield from _feature(as_object(feature, where), where)
    elif kind == _FEATURE:
        yield from _feature(document, "the feature")
    elif kind == _POINT or kind in _LINES or kind in _OTHERS:
        yield _Feature(document)
    else:
        found = shown(document.get("type"))
        raise UnknownFormat(f"not GeoJSON: expected the type FeatureCollection, Feature or a geometry, found {found}")


def _feature(feature: dict[str, Any], where: str) -> Iterator[_Feature]:
    if feature.get("geometry") is None:
        return
    geometry = as_object(feature["geometry"], f"{where}.geometry")
    properties = feature.get("properties")
    yield _Feature(geometry, {} if properties is None else as_object(properties, f"{where}.properties"), where)


def _piece(feature: _Feature) -> Piece | None:
    kind = _kind(feature.geometry)
    device = device_id(feature.properties.get("device_id"))
    if kind == _POINT:
        return Piece([feature.geometry.get("coordinates")], of_point(feature.properties), device, is_point=True)
    if kind not in _LINES:
        return None
    where = f"{feature.where}: coordinates"
    lines = as_list(feature.geometry.get("coordinates"), where)
    if _LINES[kind] == 1:
        return Piece(lines, of_line(feature.properties, [len(lines)]), device, is_point=False)
    lines = [as_list(line, f"{where}[{place}]") for place, line in enumerate(lines)]
    positions = list(chain.from_iterable(lines))
    return Piece(positions, of_line(feature.properties, list(map(len, lines))), device, is_point=False)


def _kind(value: dict[str, Any]) -> str:
    """The type; XContest, for one, writes Linestring."""
    kind = value.get("type")
    return kind.lower() if isinstance(kind, str) else ""
