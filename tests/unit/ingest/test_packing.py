"""Packed bodies: all of what was packed, or a refusal; never a part of it."""

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from pointq.ingest.packing import one_encoding, unpack
from pointq.ingest.problems import Problem

BODY = bytes(range(256)) * 1_000
MOST = 1_000_000


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def bare(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


MEMBERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzipped, "x-gzip": gzipped, "zstd": zstandard.compress}
STREAMS: dict[str, Callable[[bytes], bytes]] = {"deflate": zlib.compress, "bare deflate": bare}
SKIPPABLE_FRAME = bytes.fromhex("502a4d18 03000000 616263")


def refused(data: bytes, encoding: str, most: int = MOST) -> Problem:
    with pytest.raises(Problem) as caught:
        unpack(data, encoding, most)
    return caught.value


@pytest.mark.parametrize("encoding", MEMBERS)
@pytest.mark.parametrize("size", [0, 1, 20, len(BODY) // 3, len(BODY)])
def test_members_are_one_body(encoding: str, size: int) -> None:
    parts = [BODY[:size], BODY[size:], BODY]
    packed = b"".join(MEMBERS[encoding](part) for part in parts)
    assert unpack(packed, encoding, MOST) == BODY * 2


def test_members_that_end_in_several_slices() -> None:
    noise = [zlib.crc32(bytes([i])).to_bytes(4) + i.to_bytes(2) * 40_000 for i in range(5)]
    packed = b"".join(gzip.compress(each, 0) for each in noise)
    assert len(packed) > 5 * 65_536
    assert unpack(packed, "gzip", MOST) == b"".join(noise)


def test_a_skippable_frame_of_zstd_is_skipped() -> None:
    frames = zstandard.compress(BODY[:20]), SKIPPABLE_FRAME, zstandard.compress(BODY[20:]), SKIPPABLE_FRAME
    assert unpack(b"".join(frames), "zstd", MOST) == BODY


@pytest.mark.parametrize("encoding", MEMBERS)
@pytest.mark.parametrize("behind", [b"x", b"xx", b"garbage", b"\0" * 512])
def test_what_is_no_member_behind_one(encoding: str, behind: bytes) -> None:
    packed = MEMBERS[encoding](BODY)
    assert refused(packed + behind, encoding).status == 400
    assert refused(packed + MEMBERS[encoding](behind)[:-1], encoding).status == 400


@pytest.mark.parametrize("name", STREAMS)
def test_deflate_is_one_stream_and_nothing_else(name: str) -> None:
    packed = STREAMS[name](BODY)
    assert unpack(packed, "deflate", MOST) == BODY
    for behind in (b"x", packed):
        assert refused(packed + behind, "deflate").status == 400


@pytest.mark.parametrize("encoding", MEMBERS)
def test_all_members_have_one_bound(encoding: str) -> None:
    packed = MEMBERS[encoding](BODY) * 4
    assert len(unpack(packed, encoding, 4 * len(BODY))) == 4 * len(BODY)
    assert refused(packed, encoding, 4 * len(BODY) - 1).status == 413
    assert refused(MEMBERS[encoding](bytes(5_000_000)) * 100, encoding).status == 413


@pytest.mark.parametrize("encoding", MEMBERS)
def test_very_many_members_are_refused(encoding: str) -> None:
    """Two million empty ones fit into a body, and would take minutes."""
    packed = MEMBERS[encoding](b"")
    assert unpack(packed * 1_000, encoding, MOST) == b""
    assert "member 1,000" in refused(packed * (16_000_000 // len(packed)), encoding).detail


@pytest.mark.parametrize("lines", [(), ("",), (" , ",), ("identity",), ("Identity, identity", "")])
def test_a_body_that_is_not_packed(lines: tuple[str, ...]) -> None:
    assert one_encoding(lines) == "identity"


@pytest.mark.parametrize("lines", [("gzip",), (" GZIP ",), ("identity", "gzip"), ("gzip", "identity"), (",gzip,", "")])
def test_all_lines_are_one_list(lines: tuple[str, ...]) -> None:
    assert one_encoding(lines) == "gzip"


@pytest.mark.parametrize("lines", [("gzip, zstd",), ("gzip", "gzip"), ("identity", "deflate, gzip")])
def test_a_body_that_is_packed_more_than_once(lines: tuple[str, ...]) -> None:
    with pytest.raises(Problem) as caught:
        one_encoding(lines)
    assert caught.value.status == 415
