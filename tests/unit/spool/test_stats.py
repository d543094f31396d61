"""What anybody can see of a spool without its lock."""

from pathlib import Path

import pytest

from pointq.errors import SpoolError
from pointq.spool.segment import HEADER_BYTES, START
from pointq.spool.stats import Stats, inspect
from tests.unit.spool.books import NOW_US, flip, owned, record, segments, take


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert inspect(tmp_path / "none") == Stats()


def test_it_follows_every_append_and_commit(tmp_path: Path) -> None:
    left = list(range(30))
    with owned(tmp_path) as directory:
        for number in left:
            directory.append([record(number)])
            assert inspect(tmp_path).points == sum(range(number + 2))
        while taken := take(directory, 4):
            directory.commit(taken.position)
            left = left[len(taken.records) :]
            found = inspect(tmp_path)
            assert (found.records, found.points) == (len(left), sum(left) + len(left))
            assert (found.segments, found.bytes) == (len(segments(tmp_path)), directory.bytes)
            assert found.oldest_us == (NOW_US + left[0] if left else None)
    assert inspect(tmp_path) == Stats()


def test_a_read_segment_that_was_not_deleted_does_not_count(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for number in range(12):
            directory.append([record(number)])
        name, content = segments(tmp_path)[0].name, segments(tmp_path)[0].read_bytes()
        for records in (10, 1):
            taken = take(directory, records)
            assert taken is not None
            directory.commit(taken.position)
        (tmp_path / "0" / name).write_bytes(content)

        assert inspect(tmp_path).points == 12


def test_damage_makes_it_less_exact_and_nothing_worse(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for number in range(12):
            directory.append([record(number)])
    first, second = segments(tmp_path)
    flip(first, (START + 9) * 8)
    flip(second, (HEADER_BYTES + 9) * 8)
    found = inspect(tmp_path)
    assert (found.segments, found.points) == (2, 55)
    assert found.oldest_us == NOW_US  # of the segment, since the record does not say
    for path in (first, second):
        path.write_bytes(b"?")
    (tmp_path / "0" / "position").write_bytes(b"?")
    assert inspect(tmp_path) == Stats(segments=2, bytes=2)


def test_it_changes_nothing(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(0)])
    second = segments(tmp_path)[0]
    second.write_bytes(second.read_bytes() + b"\xd7PQR half of a record")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    inspect(tmp_path)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_spool_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    with pytest.raises(SpoolError, match="cannot be read: Not a directory"):
        inspect(tmp_path / "spool")
