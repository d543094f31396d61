"""Bodies that were compressed: unpacked within a bound, refused where they are cut or damaged.

aiohttp could do it, but it takes a body that ends in the middle for a whole one, and answers a damaged one by closing the
connection; here both are a 400 that says so.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.problems import Problem

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


UNREADABLE_FORM = (ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError, zlib.error)
"""What aiohttp raises where a multipart body is not what it must be, or packed in a way that is unknown or damaged."""

_SHORT_BYTES = 256 * 1024
"""A body that is unpacked within a millisecond."""

IDENTITY = "identity"
"""The encoding that is none."""
_MEMBERS = 1_000
"""Most in one body: an empty one has 8 bytes, and each costs a decompressor of its own."""
_SLICE_BYTES = 65_536
"""Unpacked at a time: what follows a member is copied when the member ends."""


class _Stream(Protocol):
    """What the decompressors of zlib and zstd have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


async def read_body(request: web.Request, arrivals: Arrivals) -> bytes:
    """The body of a request, unpacked.

    Raises Problem: 413 where it is larger than the server takes, packed or unpacked, 400 where it cannot be unpacked,
    415 where it is packed in a way that pointq does not know.
    """
    data = await _read(request, arrivals)
    if "Content-Encoding" not in request.headers:
        return data
    return await _unpacked(data, encoding_of(request), request.client_max_size, arrivals)


def encoding_of(request: web.Request) -> str:
    """How its body is packed, `identity` where it is not. Raises Problem: 415 where it is packed more than once."""
    return one_encoding(request.headers.getall("Content-Encoding", ()))


def one_encoding(lines: Iterable[str]) -> str:
    """The same, of the header's lines, which are one list (RFC 9110, 5.3)."""
    named = ",".join(lines).lower()
    packed = [name for name in map(str.strip, named.split(",")) if name not in {"", IDENTITY}]
    if len(packed) > 1:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a body may be packed once; Content-Encoding says {', '.join(packed)!r}"
        )
    return packed[0] if packed else IDENTITY


async def _read(request: web.Request, arrivals: Arrivals) -> bytes:
    """The body as it came."""
    if not request.content.is_eof():
        with arrivals.one() as came:
            return await arrived(request, came)
    # all of it came with the head, which is what a post of one point does: nothing to wait for, and nothing to gather
    data = request.content.read_nowait()
    if len(data) > request.client_max_size:
        raise too_large()
    return data


async def arrived(request: web.Request, came: Callable[[int], None]) -> bytes:
    """The body, as it came, once it is there; `came` is told of each part. Raises Problem: 413 where it is too large."""
    data, most = bytearray(), request.client_max_size
    if (request.content_length or 0) > most:
        raise too_large()
    while chunk := await request.content.readany():
        came(len(chunk))
        data += chunk
        if len(data) > most:
            raise too_large()
    return bytes(data)


async def _unpacked(data: bytes, encoding: str, most: int, arrivals: Arrivals) -> bytes:
    """What was packed; what takes long is unpacked beside the event loop, which 16 MiB would hold up for 50 ms.

    A few kilobytes may become as much as 16 MiB, so only the attempt tells a short body from a long one.
    """
    if len(data) <= _SHORT_BYTES and (short := _unpack(data, encoding, min(most, _SHORT_BYTES))) is not None:
        return short
    with arrivals.one() as came:
        came(len(data))
        async with arrivals.turn:
            return await asyncio.to_thread(unpack, data, encoding, most)


def unpack(data: bytes, encoding: str, most: int) -> bytes:
    """What was packed as `encoding`. Raises Problem: 413 where that is more than so many bytes, and others as `read_body`."""
    unpacked = _unpack(data, encoding, most)
    if unpacked is None:
        raise too_large()
    return unpacked


def _unpack(data: bytes, encoding: str, most: int) -> bytes | None:
    """The same; None where it is more than so many bytes."""
    if encoding == IDENTITY:
        return data
    unpacker = _UNPACKERS.get(encoding)
    if unpacker is None:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {encoding!r} is not known here: use gzip, deflate or zstd"
        )
    try:
        return unpacker(data, most)
    except (zlib.error, zstd.ZstdError, ValueError) as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body cannot be unpacked as {encoding}: {exc}") from exc


def too_large() -> Problem:
    """A body is over the limit."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "the body is larger than this server takes, after decompression too: send the points in several requests",
    )


def _gzip(data: bytes, most: int) -> bytes | None:
    return _members(lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), data, most)


def _deflate(data: bytes, most: int) -> bytes | None:
    # the RFC means zlib's format, but some clients send the bare stream; the first byte of zlib's says method 8
    is_zlib = bool(data) and data[0] & 0x0F == zlib.DEFLATED
    return _members(lambda: zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS), data, most, members=1)


def _zstd(data: bytes, most: int) -> bytes | None:
    return _members(zstd.ZstdDecompressor, data, most)


def _members(begin: Callable[[], _Stream], data: bytes, most: int, *, members: int = _MEMBERS) -> bytes | None:
    """All that is in the members, one after another (RFC 1952, 2.2; RFC 8878, 3.1), with nothing else behind them.

    None where that is over the bound, of which never more than one byte is unpacked.
    """
    stream = begin()
    unpacked = stream.decompress(data, most + 1)
    if len(unpacked) > most:
        return None
    if stream.eof and stream.unused_data:
        return _further(begin, bytearray(unpacked), stream.unused_data, most, members)
    if not stream.eof:
        raise ValueError("it ends too early")
    return unpacked


def _further(begin: Callable[[], _Stream], unpacked: bytearray, data: bytes, most: int, members: int) -> bytes | None:
    """The same, with what stands behind the first of them."""
    stream, begun = None, 1
    for at in range(0, len(data), _SLICE_BYTES):
        rest = data[at : at + _SLICE_BYTES]
        while rest:
            if stream is None or stream.eof:
                if begun == members:
                    raise ValueError(f"more bytes follow where it should end, after member {members:,}")
                stream, begun = begin(), begun + 1
            unpacked += stream.decompress(rest, most + 1 - len(unpacked))
            if len(unpacked) > most:
                return None
            rest = stream.unused_data
    if stream is None or not stream.eof:
        raise ValueError("it ends too early")
    return bytes(unpacked)


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
