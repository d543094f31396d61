"""IGC, as flight recorders write it, without a signature.

Source: FAI, *Technical Specification for GNSS Flight Recorders*, appendix A. What its B records are too coarse for stands in
extensions that the I record declares: LAD and LOD (further decimals of the minutes), TDS (decimals of the second).
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from pointq.formats.writers.sections import About, Section
from pointq.formats.writers.survey import UNITS, Survey, to_units
from pointq.formats.writers.texts import ascii_line
from pointq.points.batch import Array, PointBatch

_DAY_US = 86_400_000_000
_SECOND_US = 1_000_000
_LONGEST_LINE = 76
_FIRST_FREE_COLUMN = 36
_HIGHEST_M = 99_999
"""The most that five digits hold."""
_PRESSURE = ("barometric_altitude", "pressure_alt")
"""What the altitude by air pressure is called, in whichever kind has it."""
_DEEPEST_M = 9_999
"""The least that a minus sign and four digits hold."""
_VALIDITY = ("valid", "validity")
"""What the validity is called, in whichever kind has it."""
_EPOCH = date(1970, 1, 1)


def igc_sections(about: About) -> Sequence[Section]:
    """The flight as B records, with a date record before the first fix of each day.

    Altitudes are whole metres. IGC knows no NULL: a missing altitude is 00000, as the specification says of a fix without, and
    an altitude that is missing in all fixes is read as NULL again. Validity that is not known is V where only the altitude by
    GNSS is missing, which is what V means, else A.
    """
    survey = about.survey
    day = survey.first_us // _DAY_US

    def points(batch: PointBatch) -> bytes:
        nonlocal day
        lines = _fixes(batch, survey)
        days = batch.time // _DAY_US
        starts = np.flatnonzero(np.diff(days, prepend=day))
        for row in starts.tolist():
            lines[row] = _date_record(int(days[row])) + lines[row]
        day = int(days[-1])
        return "".join(lines).encode("ascii")

    return [Section(_header(about, day).encode("ascii"), points, b"")]


def _header(about: About, day: int) -> str:
    made = f"LXXXpointq flight {about.flight.flight_id or about.flight.uuid}"
    device = about.flight.device_id
    lines = [
        "AXXXPTQ pointq\r\n",
        _date_record(day),
        "HFDTM100GPSDATUM:WGS-1984\r\n",
        "HFFTYFRTYPE:pointq\r\n",
        _extensions(about.survey),
        f"{ascii_line(made)[:_LONGEST_LINE]}\r\n",
    ]
    if device:
        lines.append(f"{ascii_line(f'LXXXpointq device {device}')[:_LONGEST_LINE]}\r\n")
    return "".join(lines)


def _date_record(day: int) -> str:
    return f"HFDTEDATE:{_EPOCH + timedelta(days=day):%d%m%y},01\r\n"


def _extensions(survey: Survey) -> str:
    """The I record, empty where nothing is declared."""
    declared = [("LAD", survey.minute_digits), ("LOD", survey.minute_digits), ("TDS", survey.second_digits)]
    entries, column = [], _FIRST_FREE_COLUMN
    for name, digits in declared:
        if digits:
            entries.append(f"{column:02}{column + digits - 1:02}{name}")
            column += digits
    return f"I{len(entries):02}{''.join(entries)}\r\n" if entries else ""


def _fixes(batch: PointBatch, survey: Survey) -> list[str]:
    """The B records with their line ends."""
    lat, lad = _angle(batch.columns["lat"], 2, "NS", survey.minute_digits)
    lon, lod = _angle(batch.columns["lon"], 3, "EW", survey.minute_digits)
    pressure = next((batch.columns[name] for name in _PRESSURE if name in batch.columns), np.full(len(batch), np.nan))
    columns = (
        _clock(batch.time),
        lat,
        lon,
        _validity(batch, survey),
        _altitude(pressure),
        _altitude(batch.column(batch.kind.altitude)),
        lad,
        lod,
        _digits(batch.time % _SECOND_US // 10 ** (6 - survey.second_digits), survey.second_digits),
    )
    return [f"B{''.join(parts)}\r\n" for parts in zip(*columns, strict=True)]


def _clock(time: NDArray[np.int64]) -> list[str]:
    seconds = time % _DAY_US // _SECOND_US
    minutes = seconds // 60
    return _digits(minutes // 60 * 10_000 + minutes % 60 * 100 + seconds % 60, 6)


def _angle(degrees: NDArray[np.float64], width: int, letters: str, digits: int) -> tuple[list[str], list[str]]:
    """Degrees, minutes and hemisphere, and the further decimals."""
    units, decimals = np.divmod(to_units(degrees, digits), 10**digits)
    whole, minutes = np.divmod(units, UNITS)
    hemispheres = np.where(degrees < 0, letters[1], letters[0]).tolist()
    texts = [text + letter for text, letter in zip(_digits(whole * 100_000 + minutes, width + 5), hemispheres, strict=True)]
    return texts, _digits(decimals, digits)


def _altitude(metres: NDArray[np.float64]) -> list[str]:
    whole = np.rint(np.nan_to_num(metres)).clip(-_DEEPEST_M, _HIGHEST_M).astype(np.int64)
    return [f"{value:05}" for value in whole.tolist()]


def _validity(batch: PointBatch, survey: Survey) -> list[str]:
    """A or V for each point."""
    known: dict[object, str] = {1: "A", 0: "V", b"A": "A", b"V": "V"}
    column = next((batch.columns[name] for name in _VALIDITY if name in batch.columns), np.full(len(batch), -1))
    missing = np.isnan(batch.column(batch.kind.altitude)) & (batch.kind.altitude in survey.columns)
    return [known.get(value, "V" if none else "A") for value, none in zip(column.tolist(), missing.tolist(), strict=True)]


def _digits(values: Array, width: int) -> list[str]:
    """Numbers with leading zeros; nothing of width 0."""
    return [f"{value:0{width}}" for value in values.tolist()] if width else [""] * len(values)
