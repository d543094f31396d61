"""Two independent readers of IGC, where they are right.

aerofiles keeps repeated fixes and null islands, adds a day at any step back, ignores LAD, LOD and TDS. libigc drops equal
seconds and keeps null islands. Such files are left to the rules.
"""

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
from aerofiles.igc import Reader
from libigc import Flight

from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile

NO_DATE = date(2020, 1, 1)
ENOUGH = 45
"""Files that must have been compared, so that nothing is left out unseen."""
FEW_ENOUGH = 6_000
"""Fixes; both readers need ten seconds for all files, and the long ones hold nothing new."""
LAST_PLACE_DEG = 1e-9
"""They add degrees and minutes as floats."""
WITHOUT_DECIMALS_DEG = 1 / 60_000
"""What is lost without LAD and LOD."""


def comparable(paths: list[Path], now_us: int) -> Iterator[tuple[Path, TrackFile]]:
    """Files without repeats, steps back and bad records."""
    for path in paths:
        track = parse_igc(path.read_bytes(), now_us=now_us, date=NO_DATE)
        regular = (np.diff(track.columns["time"]) > 0).all() and track.records == len(track)
        if 0 < len(track) <= FEW_ENOUGH and regular and NO_DATE not in track.dates:
            yield path, track


def tolerance(path: Path) -> float:
    return WITHOUT_DECIMALS_DEG if b"LAD" in path.read_bytes()[:4096] else LAST_PLACE_DEG


def assert_same(path: Path, track: TrackFile, theirs: dict[str, list[float]]) -> None:
    """Times to the second, positions as near as the readers come; a sensor that is not there is 0 m to them."""
    zeros = np.zeros(len(track))
    assert (track.columns["time"] // 1_000_000).tolist() == theirs["time"], path.name
    assert track.columns.get("elevation", zeros).tolist() == theirs["elevation"], path.name
    assert track.columns.get("barometric_altitude", zeros).tolist() == theirs["barometric_altitude"], path.name
    for name in ("lat", "lon"):
        np.testing.assert_allclose(track.columns[name], theirs[name], rtol=0, atol=tolerance(path), err_msg=path.name)


def test_aerofiles_agrees(igc_samples: list[Path], now_us: int) -> None:
    compared = 0
    for path, track in comparable(igc_samples, now_us):
        errors, fixes = Reader().read(io.StringIO(path.read_text(encoding="latin-1")))["fix_records"]
        assert not errors
        theirs = {
            "time": [int(fix["datetime"].timestamp()) for fix in fixes],
            "lat": [fix["lat"] for fix in fixes],
            "lon": [fix["lon"] for fix in fixes],
            "elevation": [fix["gps_alt"] for fix in fixes],
            "barometric_altitude": [fix["pressure_alt"] for fix in fixes],
        }
        assert_same(path, track, theirs)
        compared += 1
    assert compared >= ENOUGH


def test_libigc_agrees(igc_samples: list[Path], now_us: int) -> None:
    compared = 0
    for path, track in comparable(igc_samples, now_us):
        fixes = Flight.create_from_file(str(path)).fixes
        if not hasattr(fixes[0], "timestamp"):
            continue  # it stops before it has dated the fixes of what it finds no good flight
        theirs = {
            "time": [int(fix.timestamp) for fix in fixes],
            "lat": [fix.lat for fix in fixes],
            "lon": [fix.lon for fix in fixes],
            "elevation": [fix.gnss_alt for fix in fixes],
            "barometric_altitude": [fix.press_alt for fix in fixes],
        }
        assert_same(path, track, theirs)
        compared += 1
    assert compared >= ENOUGH
