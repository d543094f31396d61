"""Two independent readers of IGC as oracles: each gives its fixes by line, to be compared with pointq's line by line."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from aerofiles.igc import Reader
from aerofiles.igc.reader import LowLevelReader
from libigc import Flight
from libigc.flight_parsing_config import FlightParsingConfig
from libigc.gnss_fix import GNSSFix

from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile

NO_DATE = date(2020, 1, 1)
"""For the files that have no date record."""
UNITS = 60_000
"""Thousandths of a minute in a degree."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix as one reader understands it; None where it has no value."""

    time: float | None
    """Seconds since 1970 UTC."""
    lat: float
    lon: float
    pressure: float | None
    gnss: float | None
    valid: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of a file: its fixes by line, from 1."""

    fixes: Mapping[int, Fix]
    reasons: Mapping[int, str]
    """Why a line is no fix; pointq's alone."""


def text_lines(path: Path) -> list[str]:
    """The lines as both readers and an editor count them."""
    return path.read_text(encoding="latin-1").split("\n")


def by_pointq(path: Path, now_us: int) -> Reading:
    track = parse_igc(path.read_bytes(), now_us=now_us, date=NO_DATE)
    rejected = {reject.line: reject.reason for reject in track.rejects}
    candidates = [(n, line) for n, line in enumerate(text_lines(path), 1) if line.startswith("B") and n not in rejected]
    fixes: dict[int, Fix] = {}
    found = _rows(track)
    row = next(found, None)
    for number, line in candidates:
        # what is left out between two fixes repeats the time and position of an earlier one, hence differs from the next
        if row is not None and _stands_in(row, line):
            fixes[number] = row
            row = next(found, None)
        else:
            rejected[number] = "duplicate"
    assert row is None, f"{path.name}: no line holds {row}"
    return Reading(fixes, rejected)


def by_aerofiles(path: Path) -> Reading:
    lines = text_lines(path)
    taken = [n for n, line in enumerate(lines, 1) if line.startswith("B") and _aerofiles_takes(line)]
    try:
        _, records = Reader().read(io.StringIO("\n".join(lines)))["fix_records"]
    except KeyError:
        return Reading({}, {})  # no date
    fixes = [
        Fix(
            record["datetime"].timestamp(),
            record["lat"],
            record["lon"],
            record["pressure_alt"],
            record["gps_alt"],
            record["validity"] == "A",
        )
        for record in records
    ]
    return Reading(dict(zip(taken, fixes, strict=True)), {})


def by_libigc(path: Path) -> Reading:
    found = iter(Flight.create_from_file(str(path), _TakesEverything).fixes)
    fix = next(found, None)
    fixes: dict[int, Fix] = {}
    for number, line in enumerate(text_lines(path), 1):
        built = GNSSFix.build_from_B_record(line, number)
        if built is None or fix is None or not _same_record(built, fix):
            continue
        time = getattr(fix, "timestamp", None)
        fixes[number] = Fix(time, fix.lat, fix.lon, fix.press_alt, fix.gnss_alt, fix.validity == "A")
        fix = next(found, None)
    assert fix is None, f"{path.name}: no line holds {fix}"
    return Reading(fixes, {})


ORACLES = {"aerofiles": by_aerofiles, "libigc": by_libigc}


class _TakesEverything(FlightParsingConfig):  # type: ignore[misc]
    """libigc judges flights; here it shall only read them."""

    min_fixes = 2
    max_time_violations = 10**9
    max_new_days_in_flight = 10**9
    min_avg_abs_alt_change = -1.0
    max_alt_change_violations = 10**9
    max_alt = 1e9
    min_alt = -1e9


def _rows(track: TrackFile) -> Iterator[Fix]:
    nothing = np.full(len(track), np.nan)
    names = ("lat", "lon", "barometric_altitude", "elevation")
    columns = [track.columns.get(name, nothing).tolist() for name in names]
    valid = (track.columns.get("valid", np.ones(len(track))) != 0).tolist()
    for time, lat, lon, pressure, gnss, good in zip(track.columns["time"].tolist(), *columns, valid, strict=True):
        yield Fix(time / 1e6, lat, lon, _known(pressure), _known(gnss), good)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _stands_in(fix: Fix, line: str) -> bool:
    """Whether the fix may come from that line: time of day and position as far as the fixed columns say them."""
    assert fix.time is not None
    clock = (int(line[1:3]) * 60 + int(line[3:5])) * 60 + int(line[5:7])
    lat, lon = int(line[7:9]) * UNITS + int(line[9:14]), int(line[15:18]) * UNITS + int(line[18:23])
    return fix.time // 1 % 86_400 == clock and units(fix.lat) == lat and units(fix.lon) == lon


def units(degrees: float) -> int:
    """Whole thousandths of minutes, without a sign and further decimals."""
    return int(abs(degrees) * UNITS + 1e-6)


def _aerofiles_takes(line: str) -> bool:
    with contextlib.suppress(Exception):
        LowLevelReader.decode_B_record(line)
        return True
    return False


def _same_record(one: GNSSFix, other: GNSSFix) -> bool:
    """Whether both were built from the same record; libigc has added days to the time of one."""
    same = (one.lat, one.lon, one.press_alt, one.gnss_alt, one.validity) == (
        other.lat,
        other.lon,
        other.press_alt,
        other.gnss_alt,
        other.validity,
    )
    return same and (other.rawtime - one.rawtime) % 86_400 == 0
