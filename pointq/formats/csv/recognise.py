"""Whether bytes are a table of fixes."""

import re
from collections.abc import Mapping

from pointq.formats.csv.header import find_header
from pointq.formats.csv.names import LAT, LON, understand
from pointq.formats.csv.rows import encoding_of

_SAMPLE_BYTES = 65_536
_FOREIGN = re.compile(r"\s*[<{\[]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def looks_like_csv(data: bytes, columns: Mapping[str, str]) -> bool:
    """Whether the first row has names that are understood as latitude and longitude.

    With `columns`, the mapping that a user gave, any text with two names in its first row: what does not fit is explained.
    """
    sample = data[:_SAMPLE_BYTES]
    header = find_header(sample, encoding_of(sample), tuple(columns.values()))
    if header is None:
        return False
    if columns:
        text = header.separator.join(header.names)
        return len(header.names) > 1 and not _FOREIGN.match(text) and not _CONTROL.search(text.replace("\t", ""))
    meanings = [understand(name) for name in header.names]
    return {LAT, LON} <= {meaning.quantity for meaning in meanings if meaning is not None}
