"""A small writer of Flymaster packets, for tests."""

import struct
from collections.abc import Iterable
from functools import reduce
from operator import xor

END = b"\xa3\xa3"
Step = tuple[int, int, int, int, int, int]
"""fix, lat, lon, altitude, pressure, seconds: what an A2A2 packet says, each relative to the fix before."""


def packet(kind: int, data: bytes) -> bytes:
    counted = bytes([len(data)]) + data
    return bytes([kind, kind]) + counted + bytes([reduce(xor, counted)])


def about(serial: int, brand: bytes = b"Flymaster", model: bytes = b"LIVE SD") -> bytes:
    data = struct.pack("<HHI8s15s15s15s", 210, 3, serial, b"007", b"A PILOT", brand, model)
    return packet(0xA0, data + b"\0\0")


def fix(
    lat: int = 2_767_407,
    lon: int = -459_259,
    altitude: int = 1234,
    pressure: int = 8765,
    seconds: int = 773_150_400,
    flags: int = 0x80,
) -> bytes:
    return packet(0xA1, struct.pack("<BiihhI", flags, lat, lon, altitude, pressure, seconds))


def steps(rows: Iterable[Step]) -> bytes:
    return packet(0xA2, b"".join(struct.pack("<BbbbbB", *row) for row in rows))
