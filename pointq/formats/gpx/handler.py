"""The track points of a GPX file, out of the stream of its tags."""

from typing import Any
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import Locator

import numpy as np

from pointq.errors import FormatError
from pointq.formats.decimals import LONGEST_FIELD, read_decimals, short
from pointq.formats.line_track import Points
from pointq.formats.time_texts import read_times

_DEEPEST = 64
"""Tags inside each other; GPX with extensions has eight."""
_MOST_NAMES = 4096
"""Different names of tags and attributes, which the parser keeps; GPX with all known extensions has some 300."""
_BLOCK = 16_384
"""Points that are texts at a time, before they become numbers."""

_CHILDREN = {"ele": "elevation", "time": "time", "speed": "speed", "course": "heading"}
"""What is read of a point's own elements (``speed`` and ``course`` in 1.0 only), and the column it goes to."""
_EXTENSIONS = {"speed": "speed", "course": "heading", "heading": "heading", "bearing": "heading"}
"""What is read inside of ``extensions``, whoever defined it: Garmin's TrackPointExtension v2, OsmAnd, GPSLogger, Strava."""
_NUMBERS = ("lat", "lon", "elevation", "speed", "heading")
_OTHERS = ("rtept", "wpt")


class PointHandler(ContentHandler):
    """Collects what `read_xml` tells of. Names are compared without their prefix: files use the wrong namespace, or none."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[Points] = []
        self.creator: str | None = None
        self.others = dict.fromkeys(_OTHERS, 0)
        """Points that are no fixes: of routes, and waypoints."""
        self._line: Locator = Locator()
        self._names: dict[str, str] = {}
        self._path: list[str] = []
        self.tracks = 0
        """How many ``trk`` there were so far; what a point belongs to, 0 outside of any."""
        self._point: dict[str, str] | None = None
        self._point_depth = 0
        self._column: str | None = None
        self._text: list[str] = []
        self._texts: list[dict[str, str]] = []
        self._places: list[tuple[int, int]] = []

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - SAX's name
        """Who knows the line."""
        self._line = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802, ANN401 - SAX's name and type
        """A tag begins."""
        local = self._names.get(name) or self._learn(name)
        for attribute in attrs.keys():  # noqa: SIM118 - SAX's attributes are no dict
            if attribute not in self._names:
                self._learn(attribute)
        self._path.append(local)
        if len(self._path) > _DEEPEST:
            raise FormatError(f"more than {_DEEPEST} tags inside each other at line {self._line.getLineNumber()}: refused")
        if self._point is None:
            self._outside(local, attrs)
        else:
            self._column, self._text = self._column_of(local), []

    def characters(self, content: str) -> None:
        """A piece of text."""
        if self._column is not None and len(self._text) <= LONGEST_FIELD:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's name
        """A tag ends."""
        del name
        if self._point is not None:
            if self._column is not None:
                self._point.setdefault(self._column, short("".join(self._text)))
                self._column = None
            elif len(self._path) == self._point_depth:
                self._end_point(self._point)
        self._path.pop()

    def end(self) -> None:
        """Nothing more comes; a point that is open here was not whole."""
        del self._places[len(self._texts) :]
        self._end_block()

    def _outside(self, local: str, attrs: Any) -> None:  # noqa: ANN401 - SAX's type
        """A tag that is in no track point."""
        if local == "trkpt":
            self._point = {name: short(attrs.get(name, "")) for name in ("lat", "lon")}
            self._point_depth = len(self._path)
            self._places.append((self._line.getLineNumber() or 0, self.tracks))
        elif local == "trk":
            self.tracks += 1
        elif local in self.others:
            self.others[local] += 1
        elif local == "gpx" and len(self._path) == 1:
            self.creator = attrs.get("creator")

    def _column_of(self, local: str) -> str | None:
        if len(self._path) == self._point_depth + 1:
            return _CHILDREN.get(local)
        return _EXTENSIONS.get(local) if self._path[self._point_depth] == "extensions" else None

    def _end_point(self, point: dict[str, str]) -> None:
        self._texts.append(point)
        self._point = None
        if len(self._texts) == _BLOCK:
            self._end_block()

    def _end_block(self) -> None:
        """Texts become numbers."""
        texts, places = self._texts, np.array(self._places, np.int64).reshape(-1, 2)
        self._texts, self._places = [], []
        time, flaws = read_times([point.get("time", "") for point in texts])
        columns = {name: read_decimals([point.get(name, "") for point in texts]) for name in _NUMBERS}
        lines, tracks = places.T
        self.pieces.append(Points({"time": time, **columns}, flaws, tracks.astype(np.int32), lines))

    def _learn(self, name: str) -> str:
        """A name without its prefix, remembered."""
        if len(self._names) == _MOST_NAMES:
            raise FormatError(f"more than {_MOST_NAMES} different names of tags and attributes: refused")
        local = self._names[name] = name.rpartition(":")[2]
        return local
