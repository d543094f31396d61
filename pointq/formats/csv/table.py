"""Some rows of a table to columns of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.csv.clock import Clock, join_dates, read_clock
from pointq.formats.csv.header import Source
from pointq.formats.csv.names import DATE, DEVICE, FLIGHT, NUMBERS, TIME, VALID, Quantity
from pointq.formats.decimals import read_decimals, short
from pointq.formats.sift import device_id
from pointq.points.batch import Array

Flight = tuple[str | None, str]
"""What tells flights of one file apart: the device, and the name of the flight."""

_VALID = {"a": 1, "true": 1, "t": 1, "yes": 1, "y": 1, "1": 1, "v": 0, "false": 0, "f": 0, "no": 0, "n": 0, "0": 0}
"""What is read as a bool, ``A`` and ``V`` as in IGC; everything else is NULL."""
_NULL_BOOL = -1


@dataclass(frozen=True, slots=True)
class Table:
    """The texts of some rows."""

    columns: Sequence[Sequence[str]]
    """Column by column, in the header's order, all of the same length."""
    sources: Mapping[Quantity, Source]
    decimal_comma: bool

    def clock(self) -> Clock:
        """The times, from one column or from two."""
        texts = self._with_points(self._texts(TIME))
        if DATE in self.sources:
            texts = join_dates(self._texts(DATE), texts)
        return read_clock(texts, utc=any(self.sources[each].meaning.utc for each in (TIME, DATE) if each in self.sources))

    def values(self) -> dict[str, Array]:
        """Everything else that a fix can have, by the name of pointq's column."""
        values: dict[str, Array] = {each.name: self._numbers(each) for each in NUMBERS if each in self.sources}
        if VALID in self.sources:
            flags = [_VALID.get(text.casefold(), _NULL_BOOL) for text in self._texts(VALID)]
            values["valid"] = np.array(flags, np.int8)
        return values

    def tracks(self, known: dict[Flight, int]) -> NDArray[np.int32]:
        """Which flight each row belongs to, numbered as they come; the numbers are kept in `known`."""
        count = len(self.columns[0])
        if DEVICE not in self.sources and FLIGHT not in self.sources:
            return np.full(count, known.setdefault((None, ""), 0), np.int32)
        nothing = [""] * count
        devices, flights = (self._texts(each) if each in self.sources else nothing for each in (DEVICE, FLIGHT))
        keys = zip(map(device_id, devices), flights, strict=True)
        return np.array([known.setdefault(key, len(known)) for key in keys], np.int32)

    def _texts(self, quantity: Quantity) -> list[str]:
        return list(map(short, self.columns[self.sources[quantity].column]))

    def _numbers(self, quantity: Quantity) -> NDArray[np.float64]:
        """A column in the unit of pointq, NaN where a field is no number."""
        numbers = read_decimals(self._with_points(self._texts(quantity)))
        return numbers * (self.sources[quantity].meaning.factor or 1.0)

    def _with_points(self, texts: list[str]) -> list[str]:
        return [text.replace(",", ".") for text in texts] if self.decimal_comma else texts
