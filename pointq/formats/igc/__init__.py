"""IGC, the format of flight recorders: every file that pilots have, at the speed of NumPy."""

from pointq.formats.igc.parse import parse_igc
from pointq.formats.igc.records import looks_like_igc

__all__ = ["looks_like_igc", "parse_igc"]
