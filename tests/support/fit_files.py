"""A small writer of FIT files."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

EPOCH_S = 631_065_600
"""1989-12-31T00:00:00Z in Unix seconds."""

RECORD_FIELDS = (
    ("time", 253, 4, 0x86, "I"),
    ("lat", 0, 4, 0x85, "i"),
    ("lon", 1, 4, 0x85, "i"),
    ("enhanced_altitude", 78, 4, 0x86, "I"),
    ("enhanced_speed", 73, 4, 0x86, "I"),
    ("gps_accuracy", 31, 1, 0x02, "B"),
)
"""Name, number, size, base type, format of what a record message is made of here."""
INVALID = {"I": 2**32 - 1, "i": 2**31 - 1, "B": 255, "H": 65_535}
_CRC = (
    0x0000,
    0xCC01,
    0xD801,
    0x1400,
    0xF001,
    0x3C00,
    0x2800,
    0xE401,
    0xA001,
    0x6C00,
    0x7800,
    0xB401,
    0x5000,
    0x9C01,
    0x8801,
    0x4400,
)


@dataclass(frozen=True)
class Record:
    """A record message, in the file's own units; None for what it does not know."""

    time: int | None
    """Seconds since 1989-12-31 UTC."""
    lat: int | None
    """Semicircles."""
    lon: int | None
    enhanced_altitude: int | None = None
    """A fifth of a metre, from -500 m on."""
    enhanced_speed: int | None = None
    """mm/s."""
    gps_accuracy: int | None = None
    """Metres."""


def crc(data: bytes) -> int:
    """The checksum of the SDK's reference code."""
    value = 0
    for byte in data:
        for nibble in (byte & 0xF, byte >> 4):
            value = (value >> 4) & 0x0FFF ^ _CRC[value & 0xF] ^ _CRC[nibble]
    return value


def definition(local: int, number: int, fields: Sequence[tuple[str, int, int, int, str]], order: str = "<") -> bytes:
    """A definition message."""
    head = struct.pack(f"{order}BBBHB", 0x40 | local, 0, order == ">", number, len(fields))
    return head + b"".join(struct.pack("BBB", *field[1:4]) for field in fields)


def record(values: Record, order: str = "<") -> bytes:
    """A record message, of local type 1."""
    out = b"\x01"
    for name, _, _, _, code in RECORD_FIELDS:
        value = getattr(values, name)
        out += struct.pack(f"{order}{code}", INVALID[code] if value is None else value)
    return out


def file_id(serial: int, order: str = "<") -> bytes:
    """Who recorded the file: definition and message, of local type 0; maker 1 is Garmin."""
    fields = (("type", 0, 1, 0x00, "B"), ("manufacturer", 1, 2, 0x84, "H"), ("serial_number", 3, 4, 0x8C, "I"))
    return definition(0, 0, fields, order) + b"\x00" + struct.pack(f"{order}BHI", 4, 1, serial)


def wrap(body: bytes) -> bytes:
    """Header and checksum around messages."""
    header = struct.pack("<BBHI4s", 14, 0x20, 2140, len(body), b".FIT")
    header += struct.pack("<H", crc(header))
    return header + body + struct.pack("<H", crc(header + body))


def fit_file(records: Sequence[Record], serial: int = 12345, order: str = "<") -> bytes:
    """A whole file; `order` is that of the bytes in its messages."""
    messages = b"".join(record(each, order) for each in records)
    return wrap(file_id(serial, order) + definition(1, 20, RECORD_FIELDS, order) + messages)
