"""What every writer returns: the parts of a file, each made of all points in order, so that no file has to be in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pointq.formats.writers.survey import Survey
from pointq.points.batch import PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import Kind


@dataclass(frozen=True, slots=True)
class About:
    """The flight that is written. It has at least one point."""

    kind: Kind
    flight: Flight
    survey: Survey


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a file. A file is its sections one after the other."""

    before: bytes
    points: Callable[[PointBatch], bytes]
    """Called with all points of the flight, piece by piece, in order of time, each once; it may remember what went before."""
    after: bytes


def written(sections: Sequence[Section], pieces: Sequence[PointBatch]) -> Iterator[bytes]:
    """The file, where all points are in memory: section by section."""
    for section in sections:
        yield from _whole(section, pieces)


def _whole(section: Section, pieces: Iterable[PointBatch]) -> Iterator[bytes]:
    yield section.before
    yield from map(section.points, pieces)
    yield section.after


def joined(separator: bytes, text: Callable[[PointBatch], bytes]) -> Callable[[PointBatch], bytes]:
    """Put a separator between the pieces that `text` makes, none of them empty."""
    begun = False

    def points(batch: PointBatch) -> bytes:
        nonlocal begun
        before, begun = (separator if begun else b""), True
        return before + text(batch)

    return points
