"""What the JSON formats share: the document, errors that say where it is not as expected, values as columns."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pointq.errors import FormatError
from pointq.formats.flaws import Codes, Flaw
from pointq.points.columns import read_numbers, replaced
from pointq.points.shown import shown
from pointq.points.times import NAT, parse_times

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+[{\[]")
_NUMBER = re.compile(r"[ \t]*[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?[ \t]*", re.ASCII)
_PLAIN = re.compile("[-+0-9.,]*+")
"""Of nothing else are most texts that hold numbers, and then what float() takes is one; a comma it takes nowhere."""
_FIRST_MS = 100_000_000_000
"""From here on a number is a time in milliseconds: in them 1973-03-03, in seconds the year 5138."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def looks_like_json(data: bytes) -> bool:
    """Whether these bytes begin like an object or a list."""
    return _BEGIN.match(data) is not None


def load(data: bytes) -> dict[str, Any]:
    """The object that a JSON file holds. Where a key is repeated, the last one counts.

    Raises FormatError where it is not JSON, or no object. NaN and Infinity are not JSON.
    """
    try:
        document = orjson.loads(data.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as exc:
        raise FormatError(f"not JSON: {exc}", hint="check that the file was not cut or changed") from exc
    return as_object(document, "the document")


def as_object(value: object, where: str) -> dict[str, Any]:
    """That value, which must be an object. Raises FormatError."""
    if isinstance(value, dict):
        return value
    raise FormatError(f"{where}: expected an object, found {shown(value)}")


def as_list(value: object, where: str) -> list[Any]:
    """That value, which must be a list. Raises FormatError."""
    if isinstance(value, list):
        return value
    raise FormatError(f"{where}: expected a list, found {shown(value)}")


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """GeoJSON positions as columns, shape (n,) each, NaN where there is no number."""

    lon: Floats
    lat: Floats
    altitude: Floats
    fourth: list[Any]
    """What stands behind the altitude, None where nothing does; its meaning depends on who wrote it."""
    flaws: Codes
    """Which are no lists."""


def read_positions(values: list[Any]) -> Positions:
    """Lists ``[longitude, latitude, altitude?, …]``."""
    wrong = np.fromiter((type(value) is not list for value in values), np.bool_, len(values))
    lists = replaced(values, wrong, [])
    lon, lat, altitude = numbers([_place(lists, 0), _place(lists, 1), _place(lists, 2)])
    flaws = np.where(wrong, np.uint8(Flaw.NO_LIST), np.uint8(Flaw.NONE))
    # no negative zero
    return Positions(lon + 0.0, lat + 0.0, altitude, _place(lists, 3), flaws)


def numbers(columns: list[list[Any]]) -> Floats:
    """Numbers of several columns, shape (columns, n), NaN where a value is none. A bool or a text is no number."""
    if not columns[0]:
        return np.empty((len(columns), 0))
    return read_numbers(columns)[0]


def numbers_in(values: list[Any]) -> list[Any]:
    """Values with the number that a text holds in place of the text, NaN where it holds none."""
    try:
        if _PLAIN.fullmatch(",".join(values)):
            return list(map(float, values))
    except (TypeError, ValueError):  # not all of them are texts, or numbers
        pass
    return [_number_in(value) if type(value) is str else value for value in values]


def read_times(values: list[Any]) -> tuple[NDArray[np.int64], Codes]:
    """Times in microseconds since 1970 UTC, 0 where there is none, and what is wrong with them; shape (n,) each.

    Read are ISO 8601 with an offset from UTC, and numbers: Unix seconds, or milliseconds as JavaScript has them.
    """
    times = parse_times([_seconds(value) for value in values])
    none = times == NAT
    flaws = np.where(none, np.uint8(Flaw.TIME_FORM), np.uint8(Flaw.NONE))
    flaws[np.fromiter((value is None for value in values), np.bool_, len(values))] = Flaw.NO_TIME
    return np.where(none, 0, times), flaws


def _place(lists: Sequence[list[Any]], place: int) -> list[Any]:
    return [values[place] if len(values) > place else None for values in lists]


def _number_in(text: str) -> float:
    # float() also takes 1_000, nan and digits of other scripts
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def _seconds(value: Any) -> Any:  # noqa: ANN401 - whatever the document holds
    return value / 1000 if type(value) in (int, float) and value >= _FIRST_MS else value
