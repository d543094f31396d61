"""The rows of a table with their line numbers, whatever stands in it."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator

from pointq.formats.flaws import Flaw

_LONGEST_LINE = 16_384
"""Characters of a line; a row of fifteen columns has some 200. What is longer is skipped piece by piece."""
_MOST_LINES = 20
"""Lines of one row, together as long as one line may be: a lost quotation mark must not swallow the rest of the file."""
_CHUNK_BYTES = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Row = list[str] | Flaw
"""The fields of a row, or why it has none."""


class _UnclosedError(Exception):
    """A row that does not end, or that a line stops which is too long."""


def encoding_of(data: bytes) -> str:
    """Python's name of a table's encoding: by its byte order mark, else UTF-8 where all of it is, else cp1252."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK_BYTES):
            decoder.decode(data[start : start + _CHUNK_BYTES])
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def read_rows(data: bytes, encoding: str, separator: str) -> Iterator[tuple[int, Row]]:
    """Each row with the number of its first line, from 1; empty lines are none.

    A row whose quotation marks are wrong costs its first line only: the next row begins in the next line.
    """
    lines = _Lines(io.TextIOWrapper(io.BytesIO(data), encoding, "replace", newline=""))
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _UnclosedError):
            yield lines.first, lines.give_back()
        else:
            if row:
                yield lines.first, row


class _Lines:
    """The lines of a text for `csv.reader`, which knows only how many it took, and can give none back."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._taken: list[str | None] = []
        self._returned: deque[str | None] = deque()
        self.first = 1
        """The number of the row's first line."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read()
        if line == "":
            raise StopIteration
        self._taken.append(line)
        if line is None or (len(self._taken) > 1 and self._too_much()):
            raise _UnclosedError
        return line

    def _too_much(self) -> bool:
        return len(self._taken) > _MOST_LINES or sum(len(line) for line in self._taken if line) > _LONGEST_LINE

    def begin_row(self) -> None:
        """The lines taken so far were rows."""
        self.first += len(self._taken)
        self._taken = []

    def give_back(self) -> Flaw:
        """Only the first of the lines taken was a row, one with that flaw."""
        self._returned.extendleft(reversed(self._taken[1:]))
        self._taken = self._taken[:1]
        return Flaw.LONG_LINE if self._taken[0] is None else Flaw.QUOTES

    def _read(self) -> str | None:
        """The next line, None for one that is too long, empty at the end of the text."""
        line = self._text.readline(_LONGEST_LINE)
        if len(line) < _LONGEST_LINE or line[-1] in "\r\n":
            return line
        while len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
            line = self._text.readline(_LONGEST_LINE)
        return None
