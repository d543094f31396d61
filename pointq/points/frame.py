"""The frame: a batch of points as bytes, for Redis, the spool and files.

    3 bytes   "PQF"
    byte      version, 1
    4 bytes   CRC-32 (zlib's) of everything after it
    byte      flags: 1 the body is compressed with zstd, one frame that states its content's size
    byte      code of the kind
    4 bytes   number of points, n
    4 bytes   number of flights, f
    body      table of flights (`codec.flights`);
              only if f > 1: the place in it of each point's flight, a series of n integers (`codec.ints`);
              columns (`codec.columns`)

Numbers are little-endian. Every value comes back bit for bit, with one exception: a float that is NaN is NULL, and comes
back as the NULL of `kinds`, whatever bits it had. Equal batches make equal frames with the same version of zstd. Whatever a
reader does not know (a version, a flag, a kind, a column, a coding) it refuses. docs/frame.md has an example byte by byte.
"""

import struct
import threading
from zlib import crc32

import numpy as np
import zstandard
from numpy.typing import NDArray

from pointq.errors import FrameError
from pointq.points.batch import PointBatch
from pointq.points.codec.columns import decode_columns, encode_columns
from pointq.points.codec.flights import decode_flights, encode_flights
from pointq.points.codec.ints import decode_ints
from pointq.points.codec.reader import Reader
from pointq.points.kinds import KINDS, Kind

MAX_POINTS = 2**18
"""Points in a frame. A batch of so many takes 40 MB in memory at most, and has long been worth splitting."""
MAX_BODY_BYTES = 2**26
"""Bytes of a body before compression; what claims to be larger is not decompressed."""

_MAGIC = b"PQF"
_VERSION = 1
_START = struct.Struct("<3sBI")
_HEADER = struct.Struct("<BBII")
_COMPRESSED = 1
_SMALL = 128
"""Bytes below which compression is not tried: it saves nothing, and takes as long as all the rest of encoding one point."""
_LEVEL = 3
"""Of zstd: 2 to 9 % smaller than level 1 for 5 µs more in 1,000 points; further levels take long for little."""
_BY_CODE = {kind.code: kind for kind in KINDS.values()}


class _Contexts(threading.local):
    """Contexts of zstd cost more than their use on a small frame, and must not be used by two threads at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_BODY_BYTES)


_contexts = _Contexts()


def encode(batch: PointBatch) -> bytes:
    """The frame of a batch.

    A batch that no frame can hold is a ValueError: more than `MAX_POINTS` points or flights, more than `MAX_BODY_BYTES`, a
    text over 255 bytes, NULL in a column that is never NULL.
    """
    if max(len(batch), len(batch.flights)) > MAX_POINTS:
        raise ValueError(f"{len(batch)} points of {len(batch.flights)} flights: a frame holds up to {MAX_POINTS} of each")
    body = encode_flights(batch.kind.name, batch.flights) + b"".join(encode_columns(batch, _places(batch)))
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"{len(body)} bytes: a frame holds up to {MAX_BODY_BYTES} before compression")
    flags = 0
    if len(body) > _SMALL:
        compressed = _contexts.compressor.compress(body)
        if len(compressed) < len(body):
            body, flags = compressed, _COMPRESSED
    rest = _HEADER.pack(flags, batch.kind.code, len(batch), len(batch.flights)) + body
    return _START.pack(_MAGIC, _VERSION, crc32(rest)) + rest


def decode(data: bytes) -> PointBatch:
    """The batch of a frame; `FrameError` for whatever bytes are none."""
    kind, points, flights, compressed = _read_header(data)
    if crc32(memoryview(data)[_START.size :]) != _START.unpack_from(data)[2]:
        raise FrameError("the frame has changed since it was written: its checksum does not match")
    body = data[_START.size + _HEADER.size :]
    reader = Reader(_decompress(body) if compressed else body)
    table = decode_flights(reader, kind.name, flights)
    index = _decode_index(reader, points, flights)
    columns = decode_columns(reader, kind, points)
    reader.end()
    return PointBatch(kind, table, index, columns)


def _read_header(data: bytes) -> tuple[Kind, int, int, bool]:
    if len(data) < _START.size + _HEADER.size:
        raise FrameError(f"not a frame: {len(data)} bytes, where {_START.size + _HEADER.size} are the least")
    magic, version, _ = _START.unpack_from(data)
    if magic != _MAGIC:
        raise FrameError(f"not a frame: begins with {magic!r} instead of {_MAGIC!r}")
    if version != _VERSION:
        raise FrameError(f"a frame of version {version}, this pointq reads version {_VERSION}", hint="upgrade pointq here")
    flags, code, points, flights = _HEADER.unpack_from(data, _START.size)
    if flags & ~_COMPRESSED or code not in _BY_CODE:
        raise FrameError(f"a frame with flags {flags} of kind {code}, which this version of pointq does not know")
    if max(points, flights) > MAX_POINTS:
        raise FrameError(f"a frame of {points} points and {flights} flights: the most are {MAX_POINTS} of each")
    return _BY_CODE[code], points, flights, bool(flags & _COMPRESSED)


def _places(batch: PointBatch) -> NDArray[np.int64] | None:
    """The places of the points' flights, None where they need not be said."""
    if len(batch.flights) == 1 and not batch.flight.any():
        return None
    places = batch.flight.astype(np.int64)
    if len(batch) and not 0 <= places.min() <= places.max() < len(batch.flights):
        raise ValueError(f"flights {places.min()} to {places.max()} of a table of {len(batch.flights)}")
    return places if len(batch.flights) > 1 else None


def _decode_index(reader: Reader, points: int, flights: int) -> NDArray[np.int32]:
    if flights <= 1:
        if points and not flights:
            raise FrameError(f"a frame of {points} points without a flight")
        return np.zeros(points, np.int32)
    places = decode_ints(reader, points)
    if points and not 0 <= places.min() <= places.max() < flights:
        raise FrameError(f"points of flights {places.min()} to {places.max()} in a table of {flights}")
    return places.astype(np.int32)


def _decompress(body: bytes) -> bytes:
    try:
        size = zstandard.get_frame_parameters(body).content_size
        if size > MAX_BODY_BYTES:
            raise FrameError(f"a body that claims {size} bytes: a frame holds up to {MAX_BODY_BYTES}")
        return _contexts.decompressor.decompress(body, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as exc:
        raise FrameError(f"the frame cannot be decompressed: {exc}") from exc
