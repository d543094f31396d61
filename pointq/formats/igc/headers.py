"""What the header of an IGC file says about the recorder."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.igc.lines import Lines, windows

_TYPE = re.compile(rb"H.FTY(?:[^:]*:)?(.*)", re.DOTALL)
_LONGEST = 200
"""Characters of a header that are kept: the longest real ones have half as many."""
_LONGEST_BYTES = 1024
"""Of its line; no character takes more than four, and the header's own name comes before them."""


@dataclass(frozen=True, slots=True)
class Header:
    """Who recorded the file; None where it does not say."""

    logger: str | None
    """The A record without its A: manufacturer, serial number, free text."""
    device: str | None
    """The recorder's type, from H.FTY."""


def read_header(lines: Lines) -> Header:
    """Read the A record and the first H.FTY record."""
    recorders = lines.starting_with(b"A")[:1].tolist()
    types = header_lines(lines, b"FTY")[:1].tolist()
    logger = decode(lines.text(recorders[0], _LONGEST_BYTES)[1:]) if recorders else None
    found = _TYPE.match(lines.text(types[0], _LONGEST_BYTES)) if types else None
    return Header(logger or None, (decode(found[1]) or None) if found else None)


def header_lines(lines: Lines, code: bytes) -> NDArray[np.int64]:
    """The H records with that three-letter code, whoever made the entry (the letter between), as indices."""
    headers = lines.starting_with(b"H")
    codes = windows(lines.buffer, lines.starts[headers] + 2, 3)
    wanted = (codes[0] == code[0]) & (codes[1] == code[1]) & (codes[2] == code[2])
    found: NDArray[np.int64] = headers[wanted & (lines.ends[headers] - lines.starts[headers] >= len("HFFTY"))]
    return found


def decode(text: bytes) -> str:
    """The text of a header: UTF-8 (61 files of 550), else cp1252 (10 files); a space in place of what cannot be printed."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        decoded = text.decode("cp1252", "replace")
    if not decoded.isprintable():
        decoded = "".join(letter if letter.isprintable() else " " for letter in decoded)
    return decoded.strip()[:_LONGEST].rstrip()
