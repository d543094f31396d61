"""GPX 1.1: one track of one segment.

Source: https://www.topografix.com/GPX/1/1/. Speed and course stand in Garmin's extension, which is what other programs read
(https://www8.garmin.com/xmlschemas/TrackPointExtensionv2.xsd); what GPX has no place for under pointq's own names.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat

from pointq.formats.writers.sections import About, Section
from pointq.formats.writers.texts import decimal, time_texts, value_texts, xml_text
from pointq.points.batch import PointBatch
from pointq.points.kinds import Column, ColumnType

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="pointq" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2" xmlns:pointq="urn:pointq:points">
<trk>{name}<type>{kind}</type><trkseg>
"""
_FOOT = "</trkseg></trk>\n</gpx>\n"
_GARMIN = {"speed": "gpxtpx:speed", "heading": "gpxtpx:course"}
_FULL_CIRCLE = "360.0"
_NORTH = "0.0"
"""The same direction as 360, which the schema does not allow."""


def gpx_sections(about: About) -> Sequence[Section]:
    """The flight as a track; its points have the altitude by GNSS as ``ele``, and all other columns as extensions."""
    name = about.flight.flight_id
    head = _HEAD.format(name=f"<name>{xml_text(name)}</name>" if name else "", kind=about.kind.name)
    own = [column for column in about.kind.own_columns if column.name in about.survey.columns - {about.kind.altitude}]
    digits = about.survey.second_digits

    def points(batch: PointBatch) -> bytes:
        return "".join(_points(batch, own, digits)).encode()

    return [Section(head.encode(), points, _FOOT.encode())]


def _points(batch: PointBatch, own: list[Column], digits: int) -> Iterator[str]:
    altitude = batch.kind.by_name[batch.kind.altitude]
    columns = (
        map(decimal, batch.columns["lat"].tolist()),
        map(decimal, batch.columns["lon"].tolist()),
        value_texts(altitude, batch.column(altitude.name), digits),
        time_texts(batch.time, digits),
        _extensions(batch, own, digits),
    )
    for lat, lon, ele, time, extensions in zip(*columns, strict=True):
        height = f"<ele>{ele}</ele>" if ele is not None else ""
        yield f'<trkpt lat="{lat}" lon="{lon}">{height}<time>{time}</time>{extensions}</trkpt>\n'


def _extensions(batch: PointBatch, own: list[Column], digits: int) -> Iterator[str]:
    """The extensions of each point, empty where it has none."""
    garmin = [_elements(column, batch, digits) for column in own if column.name in _GARMIN]
    other = [_elements(column, batch, digits) for column in own if column.name not in _GARMIN]
    rows = zip(_joined(garmin, len(batch)), _joined(other, len(batch)), strict=True)
    for known, further in rows:
        wrapped = f"<gpxtpx:TrackPointExtension>{known}</gpxtpx:TrackPointExtension>" if known else ""
        yield f"<extensions>{wrapped}{further}</extensions>" if wrapped or further else ""


def _joined(columns: list[list[str]], count: int) -> Iterator[str]:
    return map("".join, zip(*columns, strict=True)) if columns else repeat("", count)


def _elements(column: Column, batch: PointBatch, digits: int) -> list[str]:
    """One element for each point, empty where the value is NULL."""
    tag = _GARMIN.get(column.name, f"pointq:{column.name}")
    texts = value_texts(column, batch.column(column.name), digits)
    if column.type is ColumnType.TEXT:
        texts = [None if text is None else xml_text(text) for text in texts]
    if column.name == "heading":
        texts = [_NORTH if text == _FULL_CIRCLE else text for text in texts]
    return ["" if text is None else f"<{tag}>{text}</{tag}>" for text in texts]
