"""Archives and paths made to hurt: each is refused with a clear error, in little memory, and the rest is read."""

import io
import os
import stat
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pointq.errors import FormatError, PointqError
from pointq.ops.source import Source
from pointq.ops.sources import find
from pointq.ops.zip_bounds import MOST_MEMBERS, open_archive

MEBIBYTE = 2**20
GOOD = b"HFDTE010724\r\nB1201054607407N00739259EA0123401250\r\n"

Outcomes = dict[str, bytes | str]


def outcomes(path: Path | str) -> Outcomes:
    """What each source gives: its bytes, or the message of its error."""
    return taken(find([str(path)]), f"{path}")


def taken(sources: Iterable[Source], root: str) -> Outcomes:
    found: Outcomes = {}
    for source in sources:
        try:
            found[source.name.removeprefix(root).lstrip(":/")] = source.read()
        except PointqError as exc:
            found[source.name.removeprefix(root).lstrip(":/")] = exc.message
    return found


def archive(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """No more memory than that may be taken meanwhile."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= most
    finally:
        tracemalloc.stop()


def patched(path: Path, *changes: tuple[bytes, bytes]) -> Path:
    data = path.read_bytes()
    for old, new in changes:
        assert data.count(old) >= 1
        data = data.replace(old, new)
    path.write_bytes(data)
    return path


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", ("bomb.igc", bytes(100 * MEBIBYTE)), ("good.igc", GOOD))
    with at_most(2 * MEBIBYTE):
        found = outcomes(path)
    assert found == {"bomb.igc": "bomb.igc unpacks to more than 250 times its size: that is no flight", "good.igc": GOOD}


def test_a_track_that_never_moves_is_no_bomb(tmp_path: Path) -> None:
    data = b"HFDTE010724\n" + b"".join(
        b"B%02d%02d%02d4607407N00739259EA0123401250\n" % (h, m, s) for h in range(24) for m in range(60) for s in range(60)
    )
    assert outcomes(archive(tmp_path / "still.zip", ("still.igc", data))) == {"still.igc": data}


def test_a_member_larger_than_any_file_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "large.zip", ("large.igc", b"x" * 1000), compression=zipfile.ZIP_STORED)
    patched(path, (struct.pack("<LL", 1000, 1000), struct.pack("<LL", 1000, 2**31)))
    assert outcomes(path) == {"large.igc": "large.igc is larger than 256 MiB"}


def test_a_member_that_claims_to_be_small_is_not_unpacked_further(tmp_path: Path) -> None:
    size = 200 * MEBIBYTE
    path = archive(tmp_path / "liar.zip", ("liar.igc", bytes(size)), ("good.igc", GOOD))
    patched(path, (struct.pack("<L", size), struct.pack("<L", 1000)))
    with at_most(2 * MEBIBYTE):
        found = outcomes(path)
    assert "liar.igc cannot be unpacked: Bad CRC-32" in str(found["liar.igc"])
    assert found["good.igc"] == GOOD


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_stopped_are_refused(tmp_path: Path, compression: int) -> None:
    path = archive(tmp_path / "other.zip", ("other.igc", GOOD), compression=compression)
    assert outcomes(path) == {"other.igc": "other.igc is packed by another method than Deflate"}


def directory_of(count: int, name: bytes = b"") -> bytes:
    """An archive of that many entries that all point to one empty member, the directory's size as it is."""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(entry) * count, len(local), 0)
    return local + entry * count + end


def test_a_million_empty_names_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(directory_of(1_000_000))
    with at_most(MEBIBYTE):
        (message,) = outcomes(path).values()
    assert "its directory has 46,000,000 bytes; 16,777,216 are the most that is read" in str(message)


def test_more_members_than_any_season_has_are_refused() -> None:
    with pytest.raises(FormatError, match=r"it has 100,001 members; 100,000 are the most"):
        open_archive(io.BytesIO(directory_of(MOST_MEMBERS + 1)))


def test_the_64_bit_record_is_believed_where_readers_believe_it() -> None:
    """Its directory is as large as before, the 32-bit record says that there is none."""
    data = directory_of(400_000)
    body, end = data[:-22], bytearray(data[-22:])
    size = len(body) - 30
    end[8:20] = b"\xff" * 12
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 400_000, 400_000, size, 30)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body), 1)
    for small in (bytes(end), bytes(end[:12]) + struct.pack("<L", 0) + bytes(end[16:])):
        with pytest.raises(FormatError, match="its directory has"):
            open_archive(io.BytesIO(body + large + locator + small))


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """Many names for one packed piece: 10 MB become terabytes without any ratio being suspicious."""
    path = archive(tmp_path / "overlap.zip", ("a.igc", b"x" * 1000), ("b.igc", b"y" * 1000), compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    assert struct.unpack_from("<L", data, second + 42)[0] > 0
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    assert [str(message).endswith("its members overlap: it is a zip bomb") for message in outcomes(path).values()] == [True]


def test_members_in_any_order_do_not_overlap(tmp_path: Path) -> None:
    path = archive(tmp_path / "order.zip", *((f"{i}.igc", GOOD) for i in range(3)))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    stop = data.index(b"PK\x05\x06")
    entries = [b"PK\x01\x02" + entry for entry in data[start:stop].split(b"PK\x01\x02")[1:]]
    path.write_bytes(data[:start] + b"".join(reversed(entries)) + data[stop:])
    assert outcomes(path) == {f"{i}.igc": GOOD for i in (2, 1, 0)}


def test_an_archive_in_an_archive_is_watched_as_well(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "inner.zip", ("bomb.igc", bytes(100 * MEBIBYTE)), link_to("/etc/passwd"), ("good.igc", GOOD))
    members = (("a.zip", bomb.read_bytes()), ("many.zip", directory_of(1_000_000)), ("good.igc", GOOD))
    outer = archive(tmp_path / "outer.zip", *members, compression=zipfile.ZIP_STORED)
    # of the archive in it, twice its size, since it is put together from pieces
    with at_most(100 * MEBIBYTE):
        found = outcomes(outer)
    assert str(found.pop("many.zip")).endswith("16,777,216 are the most that is read")
    assert found == {
        "a.zip:bomb.igc": "bomb.igc unpacks to more than 250 times its size: that is no flight",
        "a.zip:link.igc": "link.igc is a link, not a file",
        "a.zip:good.igc": GOOD,
        "good.igc": GOOD,
    }


def test_an_archive_on_standard_input_is_watched_as_well(tmp_path: Path) -> None:
    data = archive(tmp_path / "bomb.zip", ("bomb.igc", bytes(100 * MEBIBYTE)), ("good.igc", GOOD)).read_bytes()
    with at_most(2 * MEBIBYTE):
        found = taken(find(["-"], stdin=data), "-")
    assert found == {"bomb.igc": "bomb.igc unpacks to more than 250 times its size: that is no flight", "good.igc": GOOD}
    many = directory_of(1_000_000)
    with at_most(2 * MEBIBYTE):
        (message,) = taken(find(["-"], stdin=many), "-").values()
    assert str(message).endswith("16,777,216 are the most that is read")


def link_to(target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo("link.igc")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def test_links_and_names_that_climb_out_lead_nowhere(tmp_path: Path) -> None:
    path = archive(tmp_path / "evil.zip", ("../../outside.igc", GOOD), ("/etc/absolute.igc", GOOD), link_to("/etc/passwd"))
    found = outcomes(path)
    assert found == {
        "../../outside.igc".lstrip("/"): GOOD,
        "/etc/absolute.igc".lstrip("/"): GOOD,
        "link.igc": "link.igc is a link, not a file",
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.zip"]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "secret.zip", ("secret.igc", GOOD), ("good.igc", GOOD), compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert outcomes(path) == {"secret.igc": "secret.igc is encrypted", "good.igc": GOOD}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path / "cut.zip", *((f"{i}.igc", GOOD * 50) for i in range(20)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    (message,) = outcomes(path).values()
    assert "no zip archive that can be read" in str(message)


def test_no_damage_makes_anything_but_an_error(tmp_path: Path) -> None:
    """Every byte of a small archive, set to 0, 255 and another one."""
    path = archive(tmp_path / "small.zip", ("a.igc", GOOD), ("b.txt", GOOD))
    data = path.read_bytes()
    for place in range(len(data)):
        for value in (0, 255, data[place] ^ 0x55):
            path.write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            assert all(isinstance(outcome, bytes | str) for outcome in outcomes(path).values())


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def loop(path: Path) -> None:
    path.symlink_to(path)


SPECIAL: list[tuple[Callable[[Path], None], str]] = [
    (fifo, "is a pipe, not a file"),
    (device, "is a device, not a file"),
    (folder, "holds no "),
    (dangling, "No such file or directory"),
    (loop, "Too many levels of symbolic links"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
@pytest.mark.parametrize("name", ["special.igc", "special.zip"])
@pytest.mark.parametrize(("make", "message"), SPECIAL, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_no_file_is_refused_where_it_is_named(
    tmp_path: Path, make: Callable[[Path], None], message: str, name: str
) -> None:
    path = tmp_path / name
    make(path)
    (found,) = outcomes(path).values()
    assert message in str(found)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
@pytest.mark.parametrize("make", [make for make, _ in SPECIAL])
def test_what_is_no_file_hides_nothing_in_a_folder(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.igc")
    (tmp_path / "b.igc").write_bytes(GOOD)
    assert outcomes(tmp_path)["b.igc"] == GOOD


@pytest.mark.skipif(sys.platform == "win32", reason="has no users to become")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.igc"
    path.write_bytes(GOOD)
    path.chmod(0)
    with unprivileged():
        (message,) = outcomes(path).values()
    assert message == f"{path} cannot be read: Permission denied"


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.seteuid(was)


@pytest.mark.skipif(sys.platform != "linux", reason="names pipes so")
def test_a_pipe_that_the_shell_made_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD)
    os.close(writing)
    try:
        assert list(outcomes(f"/dev/fd/{reading}").values()) == [GOOD]
    finally:
        os.close(reading)


def test_a_file_of_a_gibibyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.igc"
    with path.open("wb") as file:
        file.truncate(2**30)
    with at_most(MEBIBYTE):
        (message,) = outcomes(path).values()
    assert message == f"{path} is larger than 256 MiB"
