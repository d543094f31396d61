"""GPX 1.0 and 1.1, the exchange format of nearly every GPS program."""

from pointq.formats.gpx.parse import parse_gpx
from pointq.formats.gpx.recognise import looks_like_gpx

__all__ = ["looks_like_gpx", "parse_gpx"]
