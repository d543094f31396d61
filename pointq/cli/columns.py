"""Columns of text, one line for each row, so that a screen knows how high they are."""

from collections.abc import Sequence

from rich.text import Text

Cell = str | Text


def columns(headings: Sequence[str], rows: Sequence[Sequence[Cell]], *, left: int = 1, gap: int = 2) -> list[Text]:
    """The headings, dimmed, and the rows; the first `left` columns begin at the left, the others end at the right."""
    table = [[Text(heading, style="dim") for heading in headings], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(cell.cell_len for cell in column) for column in zip(*table, strict=True)]
    return [_line(row, widths, left, " " * gap) for row in table]


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _line(row: Sequence[Text], widths: Sequence[int], left: int, gap: str) -> Text:
    cells = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - cell.cell_len)
        cells.append(Text.assemble(cell, space) if i < left else Text.assemble(space, cell))
    line = Text(gap).join(cells)
    line.rstrip()
    return line
