"""Where the programs that write GeoJSON put what its positions have no place for.

| who | times of a line |
| --- | --- |
| togeojson, Mapbox | `coordinateProperties.times`; before that, `coordTimes` |
| Leaflet.TimeDimension | `coordTimes`, `times` or `linestringTimestamps` |
| Leaflet.Playback | `time`, a list |
| kepler.gl | the fourth number of each position |

Of a point they are `time`, `timestamp` or `datetime`, the second of them in Overland.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pointq.formats.track import TRACK_COLUMNS

_LISTS_OF_TIMES = ("coordTimes", "times", "linestringTimestamps", "timestamps", "time")
_TIMES_OF_POINTS = ("time", "timestamp", "datetime")
_OF_POSITION = {"time", "lat", "lon"}
FURTHER = tuple(column.name for column in TRACK_COLUMNS if column.name not in _OF_POSITION)
"""Columns that may stand in properties, under these names."""
_OF_POINTS = {name: name for name in FURTHER} | {
    "altitude": "elevation",
    "ele": "elevation",
    "course": "heading",
    "horizontal_accuracy": "accuracy",
}
"""Columns by the names that they have in the properties of points: Overland and others have names of their own."""


@dataclass(frozen=True, slots=True)
class Values:
    """What the properties of a feature say of its positions."""

    times: list[Any] | None
    """One for each position; None where there are none."""
    further: Mapping[str, list[Any]]
    """Columns of `FURTHER`, one value for each position."""
    times_fit: bool = True
    """False where there are times, but more or fewer than positions."""


def of_point(properties: Mapping[str, Any]) -> Values:
    """What the properties of a point say."""
    times = [properties[name] for name in _TIMES_OF_POINTS if properties.get(name) is not None]
    known = [name for name in _OF_POINTS if properties.get(name) is not None]
    return Values(times[:1] or None, {_OF_POINTS[name]: [properties[name]] for name in known})


def of_line(properties: Mapping[str, Any], lengths: list[int]) -> Values:
    """What the properties of a line say, or of several lines with so many positions each.

    Lists are as long as all lines together, or there is a list for each line. A column of another length is left out.
    """
    own = properties.get("coordinateProperties")
    own = own if isinstance(own, dict) else {}
    lists = (own.get("times"), *(properties.get(name) for name in _LISTS_OF_TIMES))
    times = next((values for values in lists if isinstance(values, list)), None)
    fitting = None if times is None else _fitting(times, lengths)
    found = {name: _fitting(own[name], lengths) for name in FURTHER if isinstance(own.get(name), list)}
    further = {name: values for name, values in found.items() if values is not None}
    return Values(fitting, further, times_fit=times is None or fitting is not None)


def _fitting(values: list[Any], lengths: list[int]) -> list[Any] | None:
    """One value for each position, if there are so many."""
    if len(values) == len(lengths) and all(type(value) is list for value in values) and list(map(len, values)) == lengths:
        return list(chain.from_iterable(values))
    return values if len(values) == sum(lengths) else None
