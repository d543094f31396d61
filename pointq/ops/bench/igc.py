"""IGC files to measure with: the user's own, or made tracks written as a recorder writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pointq.ops.bench.options import Options
from pointq.ops.bench.tracks import Track, Tracks

_BYTES_A_FIX = 45
"""About; what bounds how much is read of a large archive of flights."""
_MADE_FILES = 20


def folder_of_files(tracks: Tracks, options: Options, temporary: Path) -> Sequence[Path]:
    """The IGC files of the sample folder, as many as hold about the points asked for, or made ones in that folder."""
    found = sorted(options.samples.rglob("*.igc")) if options.samples else []
    return _first(found, options.points) if found else _write(tracks, options, temporary)


def _first(paths: Sequence[Path], points: int) -> list[Path]:
    chosen: list[Path] = []
    left = points * _BYTES_A_FIX
    for path in paths:
        if left <= 0:
            break
        chosen.append(path)
        left -= path.stat().st_size
    return chosen


def _write(tracks: Tracks, options: Options, folder: Path) -> list[Path]:
    for number, track in enumerate(tracks.tracks[:_MADE_FILES]):
        (folder / f"made-{number:02}.igc").write_bytes(igc_text(track))
    return _first(sorted(folder.glob("*.igc")), options.points)


def igc_text(track: Track) -> bytes:
    """The track as an IGC file of whole seconds, its positions to a thousandth of a minute."""
    seconds, rows = np.unique(track.columns["time"] // 1_000_000, return_index=True)
    day = datetime.fromtimestamp(int(seconds[0]), UTC)
    lines = [f"AXXXBEN\r\nHFDTE{day:%d%m%y}\r\n"]
    names = ("lat", "lon", "barometric_altitude", "elevation")
    columns = [track.columns[name][rows].tolist() for name in names]
    lines += [
        f"B{_clock(second)}{_angle(lat, 2, 'NS')}{_angle(lon, 3, 'EW')}A{pressure:05.0f}{gnss:05.0f}\r\n"
        for second, lat, lon, pressure, gnss in zip(seconds.tolist(), *columns, strict=True)
    ]
    return "".join(lines).encode("ascii")


def _clock(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%H%M%S}"


def _angle(degrees: float, width: int, letters: str) -> str:
    thousandths = round(abs(degrees) * 60_000)
    whole, rest = divmod(thousandths, 60_000)
    return f"{whole:0{width}}{rest:05}{letters[degrees < 0]}"
