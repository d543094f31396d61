"""From the bytes of a GPX file to a TrackFile."""

from dataclasses import replace

from pointq.errors import FormatError, NoTrack
from pointq.formats.flaws import Flaw
from pointq.formats.gpx.handler import PointHandler
from pointq.formats.gpx.recognise import encoding_of, looks_like_gpx
from pointq.formats.gpx.xml import read_xml
from pointq.formats.line_track import Points, join, rejects_of, to_line_track
from pointq.formats.track import TrackFile

_LONGEST_CREATOR = 200
"""Characters of the program's name that are kept."""


def parse_gpx(data: bytes, *, now_us: int) -> TrackFile:
    """Read the track points of a GPX file, skipping and reporting what is no fix; each ``trk`` is a flight of its own.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Of a cut or
    damaged file the points before the break are kept, the break is reported as one more reject, and the track is not
    `complete`. Source: https://www.topografix.com/GPX/1/1/ and /GPX/1/0/.

    Raises `FormatError` where the bytes are no GPX, hold routes or waypoints only, or XML that is refused: document types
    and entities, a tag over 1 MiB, more than 64 tags inside each other.
    """
    if not looks_like_gpx(data):
        raise FormatError(
            "not a GPX file: expected XML whose root element is <gpx>",
            hint="check that the file was not truncated, renamed or compressed",
        )
    handler = PointHandler()
    broken_at = read_xml(data, encoding_of(data), handler)
    handler.end()
    points = join(handler.pieces)
    _require_a_track(points, handler)
    unread = [] if broken_at is None else [rejects_of([(broken_at, Flaw.XML_BREAK)])]
    track = to_line_track("gpx", points, [None] * (handler.tracks + 1), unread, now_us)
    return replace(track, complete=broken_at is None, logger=_creator(handler))


def _require_a_track(points: Points, handler: PointHandler) -> None:
    """Raises NoTrack for what people mistake for a track: a file of routes and waypoints."""
    if not len(points.flaws) and any(handler.others.values()):
        raise NoTrack(
            f"no track in the GPX file: found {handler.others['rtept']} route points and {handler.others['wpt']} waypoints,"
            " which are places to fly to, not fixes",
            hint="export the recorded track (<trk>) instead",
        )


def _creator(handler: PointHandler) -> str | None:
    """The program that wrote the file, as its root element says."""
    name = " ".join((handler.creator or "").split())[:_LONGEST_CREATOR]
    return name.strip() or None
