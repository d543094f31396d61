"""What the Flymaster live server answers: the fixes of several instruments.

``{serial: [{d, ai, oi, h, c, s, b, v}, …], …}``, numbers mostly as texts: Unix time, latitude and longitude in 1/60000 degree
(north and east positive), altitude by GNSS, by air pressure and of the ground in metres, bearing in degrees, speed in km/h.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from pointq.formats.documents import Floats, as_list, load, numbers, numbers_in, read_times
from pointq.formats.flaws import Codes, Flaw, first_flaw
from pointq.formats.sift import Records, device_id, one_device, to_track
from pointq.formats.track import TrackFile
from pointq.points.batch import Array
from pointq.points.columns import replaced
from pointq.points.shown import shown_text

_BEGIN = re.compile(rb"""(?:\xef\xbb\xbf)?[ \t\r\n]*+\{[ \t\r\n]*+"\d{1,20}"[ \t\r\n]*+:[ \t\r\n]*+\[""")
_UNITS = 60_000
"""Parts of a degree."""
_KMH_PER_MPS = 3.6


def is_flymaster_live(data: bytes) -> bool:
    """Whether these bytes begin like an object whose first key is a serial number and has a list."""
    return _BEGIN.match(data) is not None


def parse_flymaster_live(data: bytes, *, now_us: int) -> TrackFile:
    """Read the fixes of all instruments, each of them a part.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Raises FormatError
    where the bytes are not JSON, or not an object of lists.
    """
    document = load(data)
    tracks = [as_list(rows, f"instrument {shown_text(serial)}") for serial, rows in document.items()]
    part = np.repeat(np.arange(len(tracks), dtype=np.int32), list(map(len, tracks)))
    flaws, columns = _read(list(chain.from_iterable(tracks)))
    track = to_track("flymaster-live", Records(flaws, columns, part, list(map(device_id, document))), now_us)
    return replace(track, serial=one_device(track.parts))


def _read(rows: Sequence[Any]) -> tuple[Codes, dict[str, Array]]:
    wrong = np.fromiter((type(row) is not dict for row in rows), np.bool_, len(rows))
    rows = replaced(rows, wrong, {})
    lat, lon, gnss, pressure, bearing, speed = numbers([_values(rows, key) for key in ("ai", "oi", "h", "c", "b", "v")])
    time, time_flaws = read_times(_values(rows, "d"))
    columns = {
        "time": time,
        "lat": _degrees(lat),
        "lon": _degrees(lon),
        "elevation": gnss,
        "barometric_altitude": pressure,
        "speed": speed / _KMH_PER_MPS,
        "heading": bearing,
    }
    no_object = np.where(wrong, np.uint8(Flaw.NO_OBJECT), np.uint8(Flaw.NONE))
    return first_flaw(no_object, time_flaws), columns


def _values(rows: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return numbers_in([row.get(key) for row in rows])


def _degrees(units: Floats) -> Floats:
    # no negative zero
    return units / _UNITS + 0.0
