"""What is checked of a stranger's zip archive before Python's zipfile reads its directory, and before it unpacks a member.

zipfile makes an object of some 500 bytes for every entry of the directory, does not notice that members overlap, and unpacks
all that it is given before it looks at what the directory says of its size.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO

from pointq.errors import FormatError

MEBIBYTE = 1024 * 1024

MOST_MEMBERS = 100_000
MOST_DIRECTORY_BYTES = 16 * MEBIBYTE
"""A hundred thousand members with names of a hundred characters; of empty names it holds four times as many."""

_RATIO = 250
"""A member that unpacks to more than so many times its packed size is a bomb; a track that stands still has some 60."""
_RATIO_COUNTS_FROM = 16 * MEBIBYTE
"""Smaller members may be packed as tightly as they like: runs of one byte are."""

_CHUNK_BYTES = 2**16
"""Inflated at a time: asked for all, zipfile inflates all that is there before it looks at what the directory says."""

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What is unpacked: zipfile asks bzip2 and LZMA for no piece, and a gigabyte of zeros has 750 bytes in bzip2."""

_ENCRYPTED = 0x1
"""Bit of a member's flags."""
_LOCAL_HEADER_BYTES = 30
"""What stands before the name and the data of each member, at least."""

# APPNOTE.TXT of PKWARE, 4.3.14 to 4.3.16: the records at the end of an archive, which say how long the directory is
_END, _LOCATOR, _END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_END_BYTES, _LOCATOR_BYTES, _END_64_BYTES = 22, 20, 56
_LONGEST_COMMENT = 2**16 - 1


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, its directory read. Raises FormatError where it is none, or one that no honest program writes."""
    try:
        size = max(_directory_sizes(file), default=0)
        if size > MOST_DIRECTORY_BYTES:
            raise FormatError(f"its directory has {size:,} bytes; {MOST_DIRECTORY_BYTES:,} are the most that is read")
        archive = zipfile.ZipFile(file)
    except (OSError, ValueError, NotImplementedError, struct.error, zipfile.BadZipFile) as exc:
        raise FormatError(f"no zip archive that can be read: {exc}") from exc
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise FormatError(f"it has {len(members):,} members; {MOST_MEMBERS:,} are the most that is read")
    if _overlap(members):
        raise FormatError("its members overlap: it is a zip bomb")
    return archive


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """The bytes of a member. Raises FormatError where it is no file, is damaged, or has more than `most` bytes."""
    name = member.filename
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FormatError(f"{name} is a link, not a file")
    if member.flag_bits & _ENCRYPTED:
        raise FormatError(f"{name} is encrypted", hint="unpack the archive with its password first")
    if member.compress_type not in _METHODS:
        raise FormatError(f"{name} is packed by another method than Deflate", hint="pack the archive anew, in the usual way")
    if member.file_size > most:
        raise FormatError(f"{name} is larger than {most // MEBIBYTE} MiB")
    if member.file_size > max(_RATIO_COUNTS_FROM, _RATIO * member.compress_size):
        raise FormatError(f"{name} unpacks to more than {_RATIO} times its size: that is no flight")
    try:
        with archive.open(member) as file:
            # it ends where the directory says, and compares the checksum there: what claims to be smaller is damaged
            return b"".join(iter(lambda: file.read(_CHUNK_BYTES), b""))
    except (OSError, EOFError, RuntimeError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error) as exc:
        raise FormatError(f"{name} cannot be unpacked: {exc}") from exc


def _directory_sizes(file: BinaryIO) -> Iterator[int]:
    """What the records at the end of the archive say of the directory's size. Readers differ in which of them they believe."""
    length = file.seek(0, os.SEEK_END)
    start = max(length - _LONGEST_COMMENT - _END_BYTES, 0)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) < found + _END_BYTES:
        return
    yield struct.unpack_from("<L", tail, found + 12)[0]
    end = start + found
    file.seek(max(end - _LOCATOR_BYTES, 0))
    locator = file.read(_LOCATOR_BYTES)
    if locator.startswith(_LOCATOR):
        (offset,) = struct.unpack_from("<Q", locator, 8)
        yield from _size_64(file, end - _LOCATOR_BYTES - _END_64_BYTES)
        yield from _size_64(file, offset)


def _size_64(file: BinaryIO, offset: int) -> Iterator[int]:
    if not 0 <= offset < 2**63:
        return
    file.seek(offset)
    record = file.read(_END_64_BYTES)
    if record.startswith(_END_64) and len(record) == _END_64_BYTES:
        yield struct.unpack_from("<Q", record, 40)[0]


def _overlap(members: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether the data of two members share bytes: how 10 MB become 281 TB without one suspicious member.

    Python has looked for it by itself since 3.11.8, where a member is opened.
    """
    spans = sorted(
        (member.header_offset, member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size) for member in members
    )
    return any(end > start for (_, end), (start, _) in pairwise(spans))
