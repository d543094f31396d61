"""What is damaged is set aside and reported, and reading goes on behind it."""

import errno
import logging
import os
import struct
from pathlib import Path
from zlib import crc32

import pytest

from pointq.spool.directory import READ_TRIES, Directory
from pointq.spool.record import HEAD_BYTES
from pointq.spool.segment import HEADER_BYTES, START, Header
from pointq.spool.stats import inspect
from tests.unit.spool.books import drain, flip, notes, number_of, owned, record, segments, take
from tests.unit.spool.disks import BadSectorFiles, FaultyFiles, failing

SIZE = record(0).size


def spooled(root: Path, count: int = 12) -> list[Path]:
    """Ten records in a first segment, the rest in a second."""
    with owned(root) as directory:
        for number in range(count):
            directory.append([record(number)])
    return segments(root)


def kept(root: Path, name: str) -> bytes:
    return (root / "0" / "quarantine" / name).read_bytes()


def test_a_damaged_record_is_kept_with_all_that_is_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, _ = spooled(tmp_path)
    flip(first, (START + 4 * SIZE + HEAD_BYTES + 10) * 8)
    damaged = first.read_bytes()[START + 4 * SIZE : START + 5 * SIZE]
    with owned(tmp_path) as directory:
        assert drain(directory) == [0, 1, 2, 3, *range(5, 12)]

    (note,) = notes(tmp_path)
    assert note == {
        "segment": first.name,
        "offset": START + 4 * SIZE,
        "length": SIZE,
        "reason": "the checksum of the record does not match",
        "time": "2026-06-21T12:00:00Z",
        "kind": "live",
        "points": 5,
        "file": f"{first.stem}-{START + 4 * SIZE:010d}.bin",
    }
    assert kept(tmp_path, note["file"]) == damaged
    assert f"{SIZE} bytes at offset {START + 4 * SIZE} of the spool's segment {first.name} are damaged" in caplog.text
    stats = inspect(tmp_path)
    assert (stats.segments, stats.points) == (0, 0)
    assert (stats.quarantined, stats.quarantined_bytes) == (1, SIZE)


def test_damage_that_is_met_twice_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, _ = spooled(tmp_path)
    flip(first, (START + 9) * 8)
    for _ in range(2):
        with owned(tmp_path) as directory:
            for _ in range(2):
                assert take(directory) is not None

    assert len(notes(tmp_path)) == 1
    assert caplog.text.count("are damaged") == 1


def test_damage_under_a_running_process_is_found_too(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(n) for n in range(3)])
        with segments(tmp_path)[0].open("r+b") as file:
            file.seek(START + SIZE)
            file.write(b"????")
        assert drain(directory) == [0, 2]
        directory.append([record(3)])
        assert drain(directory) == [3]
    assert [note["reason"] for note in notes(tmp_path)] == ["no record begins here"]


def test_a_segment_full_of_rubbish_gives_way_to_the_next(tmp_path: Path) -> None:
    first, _ = spooled(tmp_path)
    first.write_bytes(first.read_bytes()[:START] + os.urandom(10 * SIZE))
    with owned(tmp_path) as directory:
        assert drain(directory) == [10, 11]

    assert [(note["offset"], note["length"]) for note in notes(tmp_path)] == [(START, 10 * SIZE)]


def test_a_damaged_header_costs_no_record(tmp_path: Path) -> None:
    first, _ = spooled(tmp_path)
    flip(first, 3 * 8)  # its version
    for _ in range(2):
        with owned(tmp_path) as directory:
            assert take(directory) is not None
    with owned(tmp_path) as directory:
        assert drain(directory) == list(range(12))

    assert [(note["offset"], note["length"]) for note in notes(tmp_path)] == [(0, HEADER_BYTES)]


def test_a_damaged_mark_costs_no_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = spooled(tmp_path)
    for path in (first, second):
        flip(path, (HEADER_BYTES + 5) * 8)
    with owned(tmp_path) as directory:
        assert inspect(tmp_path).points == sum(range(1, 13))
        assert drain(directory) == list(range(12))

    assert notes(tmp_path) == []
    assert caplog.text.count("its records are counted anew") == 2


def test_a_damaged_position_reads_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spooled(tmp_path)
    with owned(tmp_path) as directory:
        taken = take(directory)
        assert taken is not None
        directory.commit(taken.position)
    flip(tmp_path / "0" / "position", 20 * 8)
    with owned(tmp_path) as directory:
        assert drain(directory) == list(range(12))
    assert "is read from the beginning" in caplog.text


def test_a_segment_of_a_later_version_is_kept_whole(tmp_path: Path) -> None:
    first, _ = spooled(tmp_path)
    content = Header(2, 7, 1, 0).pack() + first.read_bytes()[HEADER_BYTES:]
    first.write_bytes(content)
    with owned(tmp_path) as directory:
        assert drain(directory) == [10, 11]

    (note,) = notes(tmp_path)
    assert "of version 2, and this pointq reads version 1" in note["reason"]
    assert kept(tmp_path, first.name) == content


def test_a_segment_under_another_name_is_read(tmp_path: Path) -> None:
    first, second = spooled(tmp_path)
    first.rename(first.with_name("0000000000000007-00000000.seg"))
    with owned(tmp_path) as directory:
        assert drain(directory) == [10, 11, *range(10)]
    assert not second.exists()


def test_an_append_that_never_finished_is_cut_and_said_at_info(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, second = spooled(tmp_path)
    whole = second.read_bytes()
    second.write_bytes(whole + whole[START : START + SIZE - 1])
    with caplog.at_level(logging.INFO), owned(tmp_path) as directory:
        assert second.read_bytes() == whole
        assert drain(directory) == list(range(12))

    assert notes(tmp_path) == []
    assert [found.levelno for found in caplog.records] == [logging.INFO]
    assert f"{SIZE - 1} bytes at the end of the spool's segment {second.name}" in caplog.text


def test_a_segment_that_somebody_deleted_is_reported(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for number in range(12):
            directory.append([record(number)])
        segments(tmp_path)[0].unlink()
        assert drain(directory) == [10, 11]

    (note,) = notes(tmp_path)
    assert (note["reason"], note["points"], note["file"]) == ("somebody has deleted the segment", 55, None)


@pytest.mark.parametrize(
    ("at", "whole"),
    [(3, 0), (START + 3, 0), (START + HEAD_BYTES + 3, 0), (START + 4 * SIZE + 3, 4), (START + 9 * SIZE + HEAD_BYTES + 3, 9)],
)
def test_a_segment_with_a_bad_sector_is_kept_whole(tmp_path: Path, at: int, whole: int) -> None:
    _, second, _ = spooled(tmp_path, 22)
    content = second.read_bytes()
    with owned(tmp_path, BadSectorFiles(second, at)) as directory:
        delivered = _drain_stubbornly(directory)

    if at < START:
        # only its header: the records are read by the name
        assert (delivered, notes(tmp_path)) == (list(range(22)), [])
        return
    assert delivered == [*range(10 + whole), 20, 21]
    (note,) = notes(tmp_path)
    assert "the disk cannot read at offset" in note["reason"]
    assert "Input/output error" in note["reason"]
    assert note["points"] == sum(n + 1 for n in range(10 + whole, 20))
    assert kept(tmp_path, note["file"]) == content


def _drain_stubbornly(directory: Directory) -> list[int]:
    delivered: list[int] = []
    failures = 0
    while failures < READ_TRIES:
        try:
            taken = take(directory)
        except OSError:
            failures += 1
            continue
        if taken is None:
            break
        delivered += map(number_of, taken.records)
        directory.commit(taken.position)
    return delivered


def test_a_disk_that_fails_for_a_while_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spooled(tmp_path)
    files = FaultyFiles(failing("read_at", 0, times=10**6))
    with owned(tmp_path, files) as directory:
        for _ in range(READ_TRIES - 1):
            with pytest.raises(OSError, match="the disk cannot read at offset 56: Input/output error"):
                take(directory)
        files.faulty = failing("none", 0)
        assert drain(directory) == list(range(12))
    assert notes(tmp_path) == []
    assert caplog.text.count("could not be looked at: the disk cannot read at offset 0") == 2


def test_what_a_process_cannot_do_just_now_is_no_damage(tmp_path: Path) -> None:
    spooled(tmp_path)
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        for call in ("open", "read_at"):
            files.faulty = failing(call, files.calls[call], errno.EMFILE)
            with pytest.raises(OSError, match="Too many open files"):
                take(directory)
        assert drain(directory) == list(range(12))
    assert notes(tmp_path) == []


def test_a_quarantine_that_cannot_be_written_stops_reading_before_the_damage(tmp_path: Path) -> None:
    first, _ = spooled(tmp_path)
    flip(first, (START + 9) * 8)
    files = FaultyFiles()
    with owned(tmp_path, files) as directory:
        files.faulty = failing("write_at", 0, errno.ENOSPC)
        with pytest.raises(OSError, match="No space left"):
            take(directory)
        assert drain(directory) == list(range(1, 12))
    assert [note["offset"] for note in notes(tmp_path)] == [START]


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    """docs/spool.md and the modules describe these bytes; others may read them."""
    first, _ = spooled(tmp_path)
    data = first.read_bytes()
    magic, version, salt, number, created_us = struct.unpack_from("<3sBIQq", data)
    assert (magic, version, number, created_us) == (b"PQS", 1, 1, 1_782_043_200_000_000)
    assert first.name == f"{number:016d}-{salt:08x}.seg"
    assert int.from_bytes(data[24:28], "little") == crc32(data[:24])
    assert struct.unpack_from("<IQQQ", data, 28) == (crc32(data[32:56], salt), len(data), 10, 55)

    sealed, checksum, length, points, time_us, kind = struct.unpack_from("<IIIIq16s", data, 60)
    frame = data[100 : 100 + length]
    assert data[56:60] == b"\xd7PQR"
    assert sealed == crc32(data[64:100], salt)
    assert (checksum, points, kind.rstrip(b"\0")) == (crc32(frame), 1, b"live")
    assert (frame, time_us) == (record(0).frame, record(0).time_us)
