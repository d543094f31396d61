"""Values as texts: times, decimal numbers, names."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pointq.points.batch import Array
from pointq.points.kinds import Column, ColumnType

_SMALLEST = 1e-30
"""Of smaller numbers nothing would be left but zeros, more of them than readers take."""
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": " ", "\n": " ", "\r": " "})


def time_texts(time: NDArray[np.int64], digits: int) -> list[str]:
    """Microseconds since 1970 UTC as ISO 8601 with Z, with none, three or six decimals of the second: at least `digits`."""
    unit: Literal["s", "ms", "us"] = "s" if not digits else "ms" if digits <= 3 else "us"  # noqa: PLR2004 - milliseconds' decimals
    moments: NDArray[np.datetime64] = time.astype("datetime64[us]")
    texts: list[str] = np.datetime_as_string(moments, unit=unit).tolist()
    return [f"{text}Z" for text in texts]


def decimal(value: float) -> str:
    """The shortest decimal number that is read as that value, without an exponent, which XML Schema's decimals have not."""
    text = repr(value)
    if "e" not in text:
        return text
    return "0.0" if abs(value) < _SMALLEST else np.format_float_positional(value, trim="0")


def value_texts(
    column: Column, values: Array, second_digits: int, number: Callable[[float], str] = decimal
) -> list[str | None]:
    """The values of a column, None where NULL: numbers as `number` writes them, times, ``true`` and ``false``, texts."""
    null = column.type.value.null
    listed = values.tolist()
    match column.type:
        case ColumnType.FLOAT:
            return [None if value != value else number(value) for value in listed]  # noqa: PLR0124 - NaN is NULL
        case ColumnType.TIME:
            return _times(values, values == null, second_digits)
        case ColumnType.BOOL:
            return [None if value == null else ("true" if value else "false") for value in listed]
        case ColumnType.TEXT:
            return [None if value == null else value.decode() for value in listed]
        case ColumnType.INT:
            return [None if value == null else str(value) for value in listed]


def xml_text(text: str) -> str:
    """The text between two tags or in an attribute: escaped, and without the characters that XML 1.0 has no place for."""
    return "".join(map(_allowed, text.translate(_XML)))


def ascii_line(text: str) -> str:
    """The text on one line of printable ASCII, a question mark for everything else."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def second_digits_of(time: NDArray[np.int64], least: int = 0) -> int:
    """How many decimals the seconds of these times have, at least so many and at most 6."""
    fractions = time % 1_000_000
    return next(digits for digits in range(least, 7) if not (fractions % 10 ** (6 - digits)).any())


def _times(values: NDArray[np.int64], null: NDArray[np.bool_], least: int) -> list[str | None]:
    texts = time_texts(np.where(null, 0, values), second_digits_of(values[~null], least))
    return [None if missing else text for missing, text in zip(null.tolist(), texts, strict=True)]


def _allowed(character: str) -> str:
    return character if character >= " " and character not in "\ufffe\uffff" else "\ufffd"
