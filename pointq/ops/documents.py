"""Batches as documents: what `inspect` prints for scripts and maps, and what docs/schemas describes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from pointq.ops.batches import Batch, decoded
from pointq.ops.rows import Row, rows
from pointq.points.batch import PointBatch
from pointq.points.kinds import Kind

FIRST_BYTES = 32
"""Of what is no frame: enough to see what it is."""

_HEADS = tuple(field.name for field in fields(Batch) if field.name not in {"frame", "reason"})
CSV_HEADS = tuple(name for name in _HEADS if name != "failures")
_FLIGHT = ("flight_uuid", "flight_id", "device_id")
_LAST = ("error", "first_bytes")

Document = dict[str, object]


def head(batch: Batch) -> Document:
    """What is known of a batch but its points."""
    return {name: getattr(batch, name) for name in _HEADS}


def flaw(batch: Batch, error: str | None) -> Document:
    """Why its points cannot be shown, and the first bytes of what there is, as hexadecimal digits."""
    return {"error": error, "first_bytes": None if error is None else batch.frame[:FIRST_BYTES].hex()}


def document(batch: Batch) -> Document:
    """A batch with all its flights and points."""
    points = decoded(batch)
    if isinstance(points, str):
        return head(batch) | flaw(batch, points) | {"flights": [], "track_points": []}
    flights = [{"flight_uuid": str(f.uuid), "flight_id": f.flight_id, "device_id": f.device_id} for f in points.flights]
    return head(batch) | flaw(batch, None) | {"flights": flights, "track_points": list(rows(points))}


def features(batch: Batch) -> Iterator[Document]:
    """A GeoJSON feature (RFC 7946) for each point; one without a place for a batch that cannot be read."""
    points = decoded(batch)
    if isinstance(points, str):
        yield {"type": "Feature", "geometry": None, "properties": head(batch) | flaw(batch, points)}
        return
    known = head(batch)
    for row in rows(points):
        place = [row.pop("lon"), row.pop("lat")]
        altitude = row.get(points.kind.altitude)
        geometry = {"type": "Point", "coordinates": place if altitude is None else [*place, altitude]}
        yield {"type": "Feature", "geometry": geometry, "properties": known | row}


def csv_columns(kinds: Iterable[Kind]) -> tuple[str, ...]:
    """The header of points of those kinds: first what `CSV_HEADS` names of the batch."""
    own = dict.fromkeys(column.name for kind in kinds for column in kind.columns)
    return (*CSV_HEADS, *_FLIGHT, *own, *_LAST)


def csv_rows(batch: Batch, columns: Sequence[str]) -> Iterator[list[object]]:
    """A row for each point, with a value for each of those columns; one for a batch that cannot be read."""
    points = decoded(batch)
    known: Document = {name: getattr(batch, name) for name in CSV_HEADS}
    if isinstance(points, str):
        known |= flaw(batch, points)
        yield [known.get(name) for name in columns]
        return
    first = [known[name] for name in CSV_HEADS]
    rest = columns[len(CSV_HEADS) :]
    for row in rows(points):
        yield first + [row.get(name) for name in rest]


def first_rows(points: PointBatch, most: int) -> list[Row]:
    """A few points, for a table."""
    return list(rows(points, most))
