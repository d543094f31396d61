"""Flights as files: what was stored, and out again. Pure: columns in, bytes out."""

from collections.abc import Callable, Mapping, Sequence

from pointq.formats.writers.csv import csv_sections
from pointq.formats.writers.geojson import geojson_sections
from pointq.formats.writers.gpx import gpx_sections
from pointq.formats.writers.igc import igc_sections
from pointq.formats.writers.sections import About, Section, written
from pointq.formats.writers.survey import Survey

__all__ = ["WRITERS", "About", "Section", "Survey", "written"]

WRITERS: Mapping[str, Callable[[About], Sequence[Section]]] = {
    "gpx": gpx_sections,
    "igc": igc_sections,
    "geojson": geojson_sections,
    "csv": csv_sections,
}
"""What makes a file of each format, by its name."""
