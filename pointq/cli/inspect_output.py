"""How batches are printed, one at a time, so that a lane with a million points takes no memory."""

import csv
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from pointq import clock
from pointq.cli.context import AppContext
from pointq.cli.inspect_screen import Table
from pointq.cli.numbers import batches_of
from pointq.logs import json_printable, printable
from pointq.ops import documents
from pointq.ops.batches import Batch
from pointq.points.kinds import KINDS

if TYPE_CHECKING:
    from pointq.ops.exports import Export
    from pointq.ops.inspecting import LaneCounts, Question


class Output(ABC):
    """One form of output: begun once, each batch handed to it, ended once."""

    def __init__(self, app: AppContext, kind: str, question: "Question") -> None:
        self.app = app
        self.kind = kind
        self.question = question
        # what a device sent must not steer a terminal; a script gets it as it is
        self.careful = sys.stdout.isatty()

    @abstractmethod
    def begin(self, lanes: Sequence["LaneCounts"]) -> None:
        """Before the first batch: what the lanes hold in all."""

    @abstractmethod
    def batch(self, batch: Batch) -> None:
        """A batch."""

    @abstractmethod
    def end(self) -> None:
        """Behind the last batch."""

    def exported(self, export: "Export") -> None:
        """Instead of all that: they are in a file."""
        self.app.err.print(
            f"{batches_of(export.batches, export.points)} {'is' if export.batches == 1 else 'are'} in {export.path}",
            markup=False,
        )


class JsonOutput(Output):
    """One object, on one line."""

    def begin(self, lanes: Sequence["LaneCounts"]) -> None:
        """The head of the object."""
        head = {
            "time": clock.now(),
            "kind": self.kind,
            "states": sorted(self.question.states),
            "lanes": lanes,
        }
        self._between = b""
        self._write(orjson.dumps(head)[:-1] + b',"batches":[')

    def batch(self, batch: Batch) -> None:
        """An element of the list."""
        self._write(self._between + orjson.dumps(documents.document(batch)))
        self._between = b","

    def end(self) -> None:
        """Close the object."""
        self._write(b"]}\n")

    def _write(self, data: bytes) -> None:
        sys.stdout.write(json_printable(data.decode()) if self.careful else data.decode())


class GeoJsonOutput(JsonOutput):
    """A FeatureCollection (RFC 7946)."""

    def begin(self, lanes: Sequence["LaneCounts"]) -> None:  # noqa: ARG002 - of the interface
        """The head of the collection."""
        self._between = b""
        self._write(b'{"type":"FeatureCollection","features":[')

    def batch(self, batch: Batch) -> None:
        """A feature for each point."""
        for feature in documents.features(batch):
            self._write(self._between + orjson.dumps(feature))
            self._between = b","


class CsvOutput(Output):
    """A header, then a row for each point (RFC 4180)."""

    def begin(self, lanes: Sequence["LaneCounts"]) -> None:  # noqa: ARG002 - of the interface
        """The header."""
        self._names = documents.csv_columns(KINDS[name] for name in KINDS if name in self.question.kinds)
        self._writer = csv.writer(sys.stdout, lineterminator="\r\n")
        self._writer.writerow(self._names)

    def batch(self, batch: Batch) -> None:
        """Its rows."""
        self._writer.writerows(list(map(self._cell, row)) for row in documents.csv_rows(batch, self._names))

    def end(self) -> None:
        """Nothing more to say."""

    def _cell(self, value: object) -> object:
        if value is True or value is False:
            return "true" if value else "false"
        return printable(value) if self.careful and isinstance(value, str) else value


class TableOutput(Output):
    """For people: the batches, a few points of each, and how much more there is."""

    def begin(self, lanes: Sequence["LaneCounts"]) -> None:
        """Begin a table."""
        self._table = Table(self.app, lanes, self.question)

    def batch(self, batch: Batch) -> None:
        """A row, and some points."""
        self._table.add(batch)

    def end(self) -> None:
        """What was not printed yet, and what to do next."""
        self._table.end()


def output(app: AppContext, form: str, kind: str, question: "Question") -> Output:
    """The output of that name."""
    return _OUTPUTS[form](app, kind, question)


_OUTPUTS: dict[str, type[Output]] = {"table": TableOutput, "json": JsonOutput, "geojson": GeoJsonOutput, "csv": CsvOutput}
