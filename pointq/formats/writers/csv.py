"""CSV: a header with pointq's names of the columns, and a row for each point."""

from collections.abc import Sequence

from pointq.formats.writers.sections import About, Section
from pointq.formats.writers.texts import value_texts
from pointq.points.batch import PointBatch
from pointq.points.kinds import Column

_QUOTED = frozenset(',"\r\n')
"""What a field cannot hold without quotation marks."""


def csv_sections(about: About) -> Sequence[Section]:
    """A table of all columns of the kind, under their names.

    RFC 4180 but for the line ends, which are LF. NULL is an empty field, an empty text ``""``, as in PostgreSQL's COPY.
    """
    header = ",".join(column.name for column in about.kind.columns)
    digits = about.survey.second_digits

    def points(batch: PointBatch) -> bytes:
        fields = [_fields(column, batch, digits) for column in batch.kind.columns]
        return "".join(",".join(row) + "\n" for row in zip(*fields, strict=True)).encode()

    return [Section(f"{header}\n".encode(), points, b"")]


def _fields(column: Column, batch: PointBatch, digits: int) -> list[str]:
    texts = value_texts(column, batch.column(column.name), digits, repr)
    return ["" if text is None else _quoted(text) for text in texts]


def _quoted(text: str) -> str:
    plain = text and not _QUOTED.intersection(text) and text == text.strip()
    return text if plain else '"' + text.replace('"', '""') + '"'
