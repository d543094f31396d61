"""The packets in which Flymaster instruments hand out their tracks."""

from pointq.formats.flymaster_binary.packets import looks_like_packets
from pointq.formats.flymaster_binary.parse import parse_flymaster_binary

__all__ = ["looks_like_packets", "parse_flymaster_binary"]
