"""Small files of every format, from which fuzzing starts: a format is fuzzed as soon as it has a line here."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.support.fit_files import Record, fit_file
from tests.support.packets import END, about, fix, steps

SAMPLES = Path(os.environ.get("POINTQ_SAMPLES", Path(__file__).parents[3] / "shared" / "data"))

_LONGEST_SEED = 6_000
"""Bytes: the header of a real file and a hundred fixes hold what there is to break."""

IGC = (
    b"""\
AXXX001
HFDTE010724
HFFTYFRTYPE:X
I033638LAD3941LOD4244TDS
B1200004607407N00739259EA0123401250123456500
LXXXtext
B1200014607408N00739260EV-012300000123456500
""",
    b"""\
HFDTEDATE: 010724,01
B2359594660000N00760000WA0123401250
B0000014607408S00739260WA0123401250
HFDTE030724
I00
B1200014607408N00739260EA0123401250
\0\0\0B1200014607408N""",
)

FLYMASTER = (
    b"12345, %b\r\n"
    b"1719830000,1719829990,46.1,7.6,1234,36.0,270\r\n"
    b"1719830001, 1719829991,-46.1,-7.6,0,0,0\r\n"
    b"1719830001,1719829992,-46.1,-7.6,0,0,0\r\n"
    b"EOF" % (b"a" * 64),
)

PACKETS = (
    about(5518) + fix() + steps([(0x80, 5, -3, 2, -1, 1), (0, 127, -128, 0, 0, 255)]) + END,
    about(1) + fix(seconds=773_150_500) + steps([(0x80, 1, 1, 1, 1, 1)] * 3) + about(2, model=b"") + fix(lat=-1) + END,
)

LIVE = (
    b"""{"5518": [
{"d": 1615411121, "ai": "2850474", "oi": "-7319830", "h": "846", "c": "841", "s": "493", "b": "36", "v": "31"},
{"d": 1615411122, "ai": "2850477", "oi": "-7319826", "h": "847", "c": "", "s": "531", "b": "30", "v": "27"}],
"7": [{"d": "1615411123", "ai": 2850481, "oi": 7319824, "h": 0}]}""",
)

XCONTEST = (
    b"""{"flight": {"type": "Feature", "properties": {"firstFixTime": "2022-04-04T16:30:40Z"},
"geometry": {"type": "Linestring", "coordinates": [
[7.602978, 46.154038, 210, {"dt": 0, "b": 201}],
[7.602979, 46.154038, 211, {"b": 201}],
[7.602980, 46.154039, 212]]}}}""",
    b"""{"users": {"one": {"lastLoc": {"type": "Feature", "properties": {"source": "live"},
"geometry": {"type": "Point", "coordinates": [7.602978, 46.154038, 210, {"t": "2022-04-04T16:30:40Z", "b": 201}]}}}}}""",
)

GEOJSON = (
    b"""{"type": "FeatureCollection", "features": [
{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[7.6, 46.1, 1234], [7.7, 46.2]]},
"properties": {"coordTimes": ["2024-07-01T12:00:00Z", 1719835201]}},
{"type": "Feature", "geometry": {"type": "Point", "coordinates": [-7.6, -46.1]},
"properties": {"time": "2024-07-01T12:00:02Z"}}]}""",
)

GPX = (
    b"""<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="X" xmlns="http://www.topografix.com/GPX/1/1">
<trk><trkseg>
<trkpt lat="46.1" lon="7.6"><ele>1234.5</ele><time>2024-07-01T12:00:00Z</time>
<extensions><speed>11.2</speed></extensions></trkpt>
<trkpt lat="46.2" lon="7.7"><time>2024-07-01T12:00:01.25+02:00</time></trkpt>
</trkseg></trk>
<trk><trkseg><trkpt lat="-46.2" lon="-7.7"><ele>x</ele><time>2024-07-01T12:00:02Z</time></trkpt></trkseg></trk>
</gpx>
""",
)

CSV = (
    b"""time,lat,lon,alt,speed_kmh,device
2024-07-01T12:00:00Z,46.1,7.6,1234,36,a
1719835201,46.2,7.7,,x,b
""",
    b"""sep=;\r
Date;Time UTC;Latitude;Longitude;Altitude (ft)\r
2024-07-01;12:00:00;"46,1";7,6;4000\r
2024-07-01;12:00:01;46,2;7,7;\r
""",
)

FIT = (
    fit_file([Record(1_088_769_600, 550_000_000, 90_000_000, 8_670, 10_000, 3), Record(1_088_769_601, None, None)]),
    fit_file([Record(1_088_769_600, -550_000_000, -90_000_000), Record(1_088_769_601, -550_000_001, 0)], order=">"),
)


def _samples(pattern: str) -> Callable[[], tuple[bytes, ...]]:
    """The beginnings of the real files of that name, where they are on this machine."""
    return lambda: tuple(path.read_bytes()[:_LONGEST_SEED] for path in sorted(SAMPLES.glob(pattern)))


_SEEDS: dict[str, tuple[tuple[bytes, ...], Callable[[], tuple[bytes, ...]]]] = {
    "igc": (IGC, _samples("igc/*.igc")),
    "flymaster": (FLYMASTER, tuple),
    "flymaster-binary": (PACKETS, tuple),
    "flymaster-live": (LIVE, _samples("other/flymaster-livedata.json")),
    "xcontest": (XCONTEST, _samples("other/xcontest-*.json")),
    "geojson": (GEOJSON, tuple),
    "gpx": (GPX, _samples("other/*.gpx")),
    "csv": (CSV, tuple),
    "fit": (FIT, tuple),
}
"""By the format's name: made files, which are always there, and real ones."""

NAMES = frozenset(_SEEDS)


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """All of one format."""
    made, real = _SEEDS[name]
    return made + real()
