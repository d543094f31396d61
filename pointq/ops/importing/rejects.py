"""The file of rejects: one JSON object a line, ``{"file", "line", "record", "offset", "reason", "text"}``."""

import asyncio
import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from pointq.errors import PointqError
from pointq.logs import printable
from pointq.ops.importing.pipeline import Arrived
from pointq.ops.importing.report import FileReport

_TEXT_BYTES = 200
"""Of a rejected line that are shown."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class RejectsFile:
    """Takes every rejected record, with the text of its line where the format has lines, and every file that failed."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("wb")
        except OSError as exc:
            raise PointqError(f"{path} cannot be written: {exc.strerror}", hint="name another file with --rejects") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        self._file.close()

    async def write(self, arrived: Arrived, report: FileReport) -> None:
        """Write down what was refused of a file."""
        if report.outcome == "failed" or report.rejected:
            await asyncio.to_thread(self._write, _entries(arrived, report))

    def _write(self, entries: Iterable[dict[str, object]]) -> None:
        for entry in entries:
            self._file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()


def _entries(arrived: Arrived, report: FileReport) -> Iterator[dict[str, object]]:
    if report.outcome == "failed":
        yield {"file": report.file, "line": None, "record": None, "offset": None, "reason": report.error, "text": None}
    # a server that read the file lists some of them, and they are all that is known here
    rejects = arrived.file.rejects if arrived.file.rejects is not None else report.rejects
    texts = _Texts(arrived.content.data if arrived.content else b"")
    for reject in rejects:
        text = texts.of(reject.line) if reject.record == "line" else None
        yield {"file": report.file, **asdict(reject), "text": text}


class _Texts:
    """The lines of a file, asked for in order: a list of all would be larger than the file."""

    def __init__(self, data: bytes) -> None:
        # as a table may be: line ends and texts are looked for in bytes of ASCII's kind
        self._data = data.decode("utf-16", "replace").encode() if data.startswith(_UTF_16) else data
        self._ends = _LINE_END.finditer(self._data)
        self._number = 1
        self._begin = 0

    def of(self, line: int) -> str | None:
        """The text of a line, printable and cut where it is long; None where there are no lines."""
        while self._number < line and (end := next(self._ends, None)):
            self._begin = end.end()
            self._number += 1
        if not self._data or self._number != line:
            return None
        end = _LINE_END.search(self._data, self._begin)
        raw = self._data[self._begin : min(end.start() if end else len(self._data), self._begin + _TEXT_BYTES)]
        return printable(raw.decode("utf8", "backslashreplace"))
