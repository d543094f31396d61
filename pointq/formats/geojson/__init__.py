"""Tracks in GeoJSON (RFC 7946), with the times where the programs that write it put them."""

from pointq.formats.geojson.parse import looks_like_geojson, parse_geojson

__all__ = ["looks_like_geojson", "parse_geojson"]
