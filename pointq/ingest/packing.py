"""Bodies that were compressed: unpacked within a bound, refused where they are cut or damaged.

aiohttp could do it, but it takes a body that ends in the middle for a whole one, and answers a damaged one by closing the
connection; here both are a 400 that says so.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Mapping
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


class _Stream(Protocol):
    """What the decompressors of zlib and zstd have in common."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


async def read_body(request: web.Request, arrivals: Arrivals) -> bytes:
    """The body of a request, unpacked.

    Raises Problem: 413 where it is larger than the server takes, packed or unpacked, 400 where it cannot be unpacked,
    415 where it is packed in a way that pointq does not know.
    """
    data = await _read(request, arrivals)
    encoding = request.headers.get("Content-Encoding")
    if encoding is None:
        return data
    return await _unpacked(data, encoding.strip().lower(), request.client_max_size, arrivals)


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
    if encoding == "identity":
        return data
    unpacker = _UNPACKERS.get(encoding)
    if unpacker is None:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {encoding!r} is not known here: use gzip, deflate or zstd"
        )
    try:
        return unpacker(data, most)
    except (zlib.error, zstd.ZstdError, EOFError) as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body cannot be unpacked as {encoding}: {exc}") from exc


def too_large() -> Problem:
    """A body is over the limit."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "the body is larger than this server takes, after decompression too: send the points in several requests",
    )


def _gzip(data: bytes, most: int) -> bytes | None:
    return _whole(zlib.decompressobj(16 + zlib.MAX_WBITS), data, most)


def _deflate(data: bytes, most: int) -> bytes | None:
    # the RFC means zlib's format, but some clients send the bare stream; the first byte of zlib's says method 8
    is_zlib = bool(data) and data[0] & 0x0F == zlib.DEFLATED
    return _whole(zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS), data, most)


def _zstd(data: bytes, most: int) -> bytes | None:
    return _whole(zstd.ZstdDecompressor(), data, most)


def _whole(stream: _Stream, data: bytes, most: int) -> bytes | None:
    """All that is in the stream; None where that is over the bound, of which never more than one byte is unpacked."""
    unpacked = stream.decompress(data, most + 1)
    if len(unpacked) > most:
        return None
    if not stream.eof:
        raise EOFError("it ends too early")
    return unpacked


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
