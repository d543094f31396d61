"""The table of flights of a batch as bytes, column by column as well.

f bytes   for each flight: 1 it has a flight_id, 2 it has a device_id, 4 its UUID is that of its kind and flight_id
UUIDs     of those flights whose UUID is not, 16 bytes each
lengths   of the flight_ids, then of the device_ids, 2 bytes each, little-endian
texts     the flight_ids, then the device_ids, UTF-8, one after the other
"""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from pointq.errors import FrameError
from pointq.points.codec.reader import Reader
from pointq.points.flights import Flight, flight_uuid

_FLIGHT_ID, _DEVICE_ID, _DERIVED = 1, 2, 4
_KNOWN = _FLIGHT_ID | _DEVICE_ID | _DERIVED
LONGEST_ID = 65_535
"""Bytes of UTF-8 of a flight_id or device_id."""


def encode_flights(kind: str, flights: Sequence[Flight]) -> bytes:
    """The flights of a batch of that kind."""
    flags = bytes([_flags(kind, flight) for flight in flights])
    uuids = b"".join([flight.uuid.bytes for flight, flag in zip(flights, flags, strict=True) if not flag & _DERIVED])
    texts = [flight.flight_id.encode() for flight in flights if flight.flight_id is not None]
    texts += [flight.device_id.encode() for flight in flights if flight.device_id is not None]
    lengths = list(map(len, texts))
    if max(lengths, default=0) > LONGEST_ID:
        raise ValueError(f"a flight_id or device_id of {max(lengths)} bytes: a frame holds up to {LONGEST_ID}")
    return b"".join([flags, uuids, np.array(lengths, "<u2").tobytes(), *texts])


def _flags(kind: str, flight: Flight) -> int:
    flags = 0 if flight.device_id is None else _DEVICE_ID
    if flight.flight_id is None:
        return flags
    # most often the very object that the cache gave, and a UUID compares in Python
    own = flight_uuid(kind, flight.flight_id)
    derived = flight.uuid is own or flight.uuid == own
    return flags | _FLIGHT_ID | _DERIVED if derived else flags | _FLIGHT_ID


def decode_flights(reader: Reader, kind: str, count: int) -> tuple[Flight, ...]:
    """The next flights, that many."""
    flags = reader.take(count)
    if count and (max(flags) > _KNOWN or any(flag & _DERIVED and not flag & _FLIGHT_ID for flag in set(flags))):
        raise FrameError("a flight with flags that this version of pointq does not know")
    derived = sum(flag & _DERIVED != 0 for flag in flags)
    uuids = iter([reader.take(16) for _ in range(count - derived)])
    flight_ids = sum(flag & _FLIGHT_ID for flag in flags)
    texts = _decode_texts(reader, flight_ids + sum(flag & _DEVICE_ID != 0 for flag in flags))
    ids, devices = iter(texts[:flight_ids]), iter(texts[flight_ids:])
    flights = []
    for flag in flags:
        flight_id = next(ids) if flag & _FLIGHT_ID else None
        uuid = flight_uuid(kind, flight_id) if flag & _DERIVED and flight_id is not None else UUID(bytes=next(uuids))
        flights.append(Flight(uuid, flight_id, next(devices) if flag & _DEVICE_ID else None))
    return tuple(flights)


def _decode_texts(reader: Reader, count: int) -> list[str]:
    lengths = reader.array(2 * count).view("<u2").tolist()
    try:
        return [reader.take(length).decode() for length in lengths]
    except UnicodeDecodeError as exc:
        raise FrameError(f"a flight_id or device_id that is not UTF-8: {exc}") from exc
