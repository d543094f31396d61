"""Small files of every format, from which fuzzing starts: a format is fuzzed as soon as it has a line here."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

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


def _samples(pattern: str) -> Callable[[], tuple[bytes, ...]]:
    """The beginnings of the real files of that name, where they are on this machine."""
    return lambda: tuple(path.read_bytes()[:_LONGEST_SEED] for path in sorted(SAMPLES.glob(pattern)))


_SEEDS: dict[str, tuple[tuple[bytes, ...], Callable[[], tuple[bytes, ...]]]] = {
    "igc": (IGC, _samples("igc/*.igc")),
    "flymaster": (FLYMASTER, tuple),
}
"""By the format's name: made files, which are always there, and real ones."""

NAMES = frozenset(_SEEDS)


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """All of one format."""
    made, real = _SEEDS[name]
    return made + real()
