"""Tables with a header: CSV and its relatives, their columns found by name."""

from pointq.formats.csv.parse import parse_csv
from pointq.formats.csv.recognise import looks_like_csv

__all__ = ["looks_like_csv", "parse_csv"]
