"""Files that are made to fill the memory or to take for ever, read in a process that may not grow.

``python -m tests.support.hostile NAME MIB SPARE`` reads the file of that name and size with no more than SPARE MiB of memory
besides it, and prints what came of it as JSON.
"""

import json
import resource
import sys
from collections.abc import Callable
from itertools import count, takewhile
from pathlib import Path

from pointq.errors import FormatError
from pointq.formats.detect import Hints, parse

MIB = 1 << 20
NOW_US = 1_767_225_600_000_000
GPX = b"<gpx><trk><trkseg>"
END = b"</trkseg></trk></gpx>"
POINT = b"<trkpt lat='46' lon='7'><time>2024-07-01T12:00:00Z</time></trkpt>"
TABLE = b"time,lat,lon\n2024-07-01T12:00:00Z,46,7\n"
ROW = b"\n2024-07-01T12:00:01Z,46,7\n"
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(10))


def filled(before: bytes, piece: bytes, after: bytes = b"") -> Callable[[int], bytes]:
    """A file with so many of the pieces in its midst that it has that size."""
    return lambda size: b"".join([before, piece * (size // len(piece)), after])


def many_names(size: int) -> bytes:
    """GPX in which no two tags have the same name."""
    names = takewhile(lambda number: number * 12 < size, count())
    return GPX + POINT + "".join(f"<n{number:07}/>" for number in names).encode()


FILES: dict[str, Callable[[int], bytes]] = {
    "entities in entities": lambda _: f"<!DOCTYPE gpx [{LAUGHS}]><gpx>&l9;</gpx>".encode(),
    "one long entity": lambda size: b'<!DOCTYPE gpx [<!ENTITY a "' + b"a" * (size // 2) + b'">]><gpx>' + b"&a;" * (size // 6),
    "an external entity": lambda _: b'<!DOCTYPE gpx [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx creator="&a;"/>',
    "an external document type": lambda _: b'<!DOCTYPE gpx SYSTEM "http://127.0.0.1:1/a.dtd"><gpx/>',
    "nested tags": filled(GPX, b"<a>"),
    "different names": many_names,
    "a long name": filled(b"<gpx ", b"a"),
    "a long attribute": filled(b"<gpx a='", b"a", b"'/>"),
    "many attributes": lambda size: b"<gpx " + b" ".join(b"a%d='1'" % i for i in range(size // 12)) + b"/>",
    "a long comment": filled(GPX + b"<!--", b"a", b"-->" + END),
    "long numbers": filled(GPX, b"<trkpt lat='" + b"9" * 500_000 + b"' lon='7'/>", END),
    "a long time": filled(
        GPX + b"<trkpt lat='46' lon='7'><time>", b"2024 ", b"</time></trkpt>" + POINT + b"</trkseg></trk></gpx>"
    ),
    "NULs in XML": filled(GPX + POINT, b"\0"),
    "comments in the prolog": filled(b"", b"<!-->-->", b"<gp"),
    "a long line": filled(TABLE, b"9", ROW),
    "a long line of columns": filled(TABLE, b"1,", ROW),
    "a long header": filled(b"time,lat,lon", b",lat"),
    "quotation marks in each line": filled(TABLE, b'"a\n', ROW),
    "a quotation mark in every 20th line": filled(TABLE, b'"' + b"a\n" * 20, ROW),
    "a row of long lines": filled(TABLE, b'"' + b"a" * 16_000 + b"\n", ROW),
    "one quotation mark": filled(TABLE + b'"', b"aaaa\n", ROW),
    "NULs in a table": filled(TABLE, b"\0", ROW),
    "lines of nothing": filled(TABLE, b"\n", ROW),
    "wide rows": filled(TABLE, b"9" * 16_000 + b",46,7\n", ROW),
}
"""By what is wrong with them, from their size in bytes."""


def main(name: str, mib: str, spare: str) -> None:
    """Read one of the files."""
    data = FILES[name](int(mib) * MIB)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + int(spare) * MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        track = parse(data, Hints(NOW_US))
    except FormatError as exc:
        outcome: dict[str, object] = {"error": exc.message}
    else:
        outcome = {"fixes": len(track), "rejects": len(track.rejects), "reasons": list(track.rejects.counts())}
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
