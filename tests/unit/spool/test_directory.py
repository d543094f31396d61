"""What is appended is read in order, once it is committed never again, and its files go away."""

import random
import stat
from pathlib import Path

import pytest

from pointq.spool.directory import Room
from tests.unit.spool.books import SEGMENT_BYTES, drain, notes, number_of, owned, record, segments, take
from tests.unit.spool.disks import LossyFiles


def test_records_come_back_as_they_were_in_order(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(0), record(1, 0)])
        directory.append([record(2, 500)])
        taken = take(directory)

    assert taken is not None
    assert taken.records == (record(0), record(1, 0), record(2, 500))
    assert taken.points == 6


def test_what_was_not_committed_comes_again(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(n) for n in range(5)])
        first, again = take(directory), take(directory)
        assert first is not None
        assert again is not None
        assert first.records == again.records
        directory.commit(first.position)
    with owned(tmp_path) as directory:
        assert drain(directory) == [3, 4]


def test_segments_rotate_and_are_deleted_as_they_are_read(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for n in range(40):
            directory.append([record(n)])
        assert len(segments(tmp_path)) == 4
        assert all(path.stat().st_size <= SEGMENT_BYTES for path in segments(tmp_path))
        assert directory.bytes == sum(path.stat().st_size for path in segments(tmp_path))

        taken = take(directory, 11)
        assert taken is not None
        assert len(taken.records) == 10  # not past the end of the segment
        directory.commit(taken.position)
        assert len(segments(tmp_path)) == 3

        assert drain(directory) == list(range(10, 40))
        assert segments(tmp_path) == []
        assert directory.bytes == 0
    assert notes(tmp_path) == []


def test_reading_goes_on_while_records_are_appended(tmp_path: Path) -> None:
    read: list[int] = []
    with owned(tmp_path) as directory:
        for n in range(60):
            directory.append([record(n)])
            if n % 2 and (taken := take(directory, 1)):
                read += map(number_of, taken.records)
                directory.commit(taken.position)
        read += drain(directory)

    assert read == list(range(60))


def test_a_record_larger_than_a_segment_has_one_of_its_own(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for n, size in enumerate((50, 5 * SEGMENT_BYTES, 50)):
            directory.append([record(n, size)])

        assert len(segments(tmp_path)) == 3
        assert drain(directory) == [0, 1, 2]


def test_bytes_bound_what_is_taken_but_one_record_always_is(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(n) for n in range(4)])
        lengths = []
        for most in (1, 100, 149, 1000):
            taken = directory.take(Room(10, most))
            assert taken is not None
            lengths.append(len(taken.records))

    assert lengths == [1, 2, 2, 4]


@pytest.mark.parametrize("appended", [1, 7, 40])
def test_a_new_owner_goes_on_where_the_last_one_stopped(tmp_path: Path, appended: int) -> None:
    read: list[int] = []
    for start in range(0, 3 * appended, appended):
        with owned(tmp_path) as directory:
            for n in range(start, start + appended):
                directory.append([record(n)])
            if taken := take(directory, 2):
                read += map(number_of, taken.records)
                directory.commit(taken.position)
    with owned(tmp_path) as directory:
        read += drain(directory)

    assert read == list(range(3 * appended))


def test_an_old_commit_changes_nothing(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(n) for n in range(9)])
        old, new = take(directory, 2), take(directory, 5)
        assert old is not None
        assert new is not None
        directory.commit(new.position)
        directory.commit(old.position)
        assert drain(directory) == [5, 6, 7, 8]
        directory.append([record(9)])
        directory.commit(new.position)
        assert drain(directory) == [9]


def test_an_old_commit_means_no_new_segment(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(0)])
        old = take(directory)
        assert old is not None
        directory.commit(old.position)
        directory.append([record(1)])
        directory.commit(old.position)
        assert drain(directory) == [1]


def test_what_was_committed_stays_away_after_a_power_loss(tmp_path: Path) -> None:
    files = LossyFiles(tmp_path)
    for seed in range(20):
        with owned(tmp_path, files) as directory:
            for number in range(15):
                directory.append([record(number)])
            taken = take(directory, 10)
            assert taken is not None
            directory.commit(taken.position)  # the end of its first segment
        files.lose_power(random.Random(seed))  # noqa: S311 - a seed must give the same again
        with owned(tmp_path, files) as directory:
            assert drain(directory) == [10, 11, 12, 13, 14]


def test_a_folder_that_was_given_back_is_no_longer_changed(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(0)])
        taken = take(directory)
    assert taken is not None
    directory.commit(taken.position)
    directory.close()

    assert len(segments(tmp_path)) == 1


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    root = tmp_path / "data" / "spool"
    with owned(root) as directory:
        directory.append([record(n) for n in range(3)])
        taken = take(directory, 1)
        assert taken is not None
        directory.commit(taken.position)

    for path in [root, *root.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert {path.name for path in (root / "0").iterdir()} == {"lock", "position", segments(root)[0].name}


def test_leftovers_of_a_crash_are_cleared_away(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for n in range(15):
            directory.append([record(n)])
        copy = segments(tmp_path)[0].read_bytes()
        name = segments(tmp_path)[0].name
        drained = take(directory, 10)
        assert drained is not None
        directory.commit(drained.position)
        partly = take(directory, 1)
        assert partly is not None
        directory.commit(partly.position)
    # its deletion did not reach the disk, and a segment and a position were about to be made
    (tmp_path / "0" / name).write_bytes(copy)
    (tmp_path / "0" / "0000000000000009-00000000.seg.new").write_bytes(b"PQS")
    (tmp_path / "0" / "position.new").write_bytes(b"pointq")

    with owned(tmp_path) as directory:
        assert drain(directory) == [11, 12, 13, 14]
    assert {path.name for path in (tmp_path / "0").iterdir()} == {"lock", "position"}
