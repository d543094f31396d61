"""Looking into a spool that other processes own."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from pointq.errors import SpoolError
from pointq.spool.look import look
from pointq.spool.record import HEAD_BYTES
from pointq.spool.segment import START
from pointq.spool.stats import inspect
from tests.unit.spool.books import drain, flip, owned, record, segments, take

SIZE = record(0).size


def content(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_waits_is_seen_while_its_owner_works_and_nothing_changes(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for number in range(12):
            directory.append([record(number)])
        taken = take(directory, 2)
        assert taken is not None
        directory.commit(taken.position)
        before = content(tmp_path)

        found = list(look(tmp_path))

        assert [(each.kind, each.points, each.time_us, each.frame, each.reason) for each in found] == [
            ("live", number + 1, record(number).time_us, record(number).frame, None) for number in range(2, 12)
        ]
        assert len({(each.slot, each.segment, each.at) for each in found}) == 10
        assert sum(each.points or 0 for each in found) == inspect(tmp_path).points
        assert content(tmp_path) == before
        assert drain(directory) == list(range(2, 12))
    assert list(look(tmp_path)) == []


def test_the_slots_of_several_processes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(owned(tmp_path)).append([record(number)])

        assert [(each.slot, each.points) for each in look(tmp_path)] == [("0", 1), ("1", 2), ("2", 3)]


def test_damage_is_told_and_the_rest_goes_on_and_so_is_what_was_set_aside(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        for number in range(3):
            directory.append([record(number)])
        flip(segments(tmp_path)[0], (START + SIZE + HEAD_BYTES + 10) * 8)

        found = list(look(tmp_path))

        why = "the checksum of the record does not match"
        assert [each.reason for each in found] == [None, why, None]
        assert (found[1].kind, found[1].points, found[1].frame[:4]) == ("live", 2, b"\xd7PQR")
        assert drain(directory) == [0, 2]
        (kept,) = look(tmp_path)
        assert kept.segment.startswith("quarantine/")
        assert (kept.kind, kept.points, kept.frame, kept.reason) == ("live", 2, found[1].frame, f"set aside: {why}")


def test_an_append_that_was_never_finished_is_nothing(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        directory.append([record(0)])
        path = segments(tmp_path)[0]
        path.write_bytes(path.read_bytes() + path.read_bytes()[START : START + 20])

        assert [each.points for each in look(tmp_path)] == [1]


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b"\xff"])
def test_a_note_that_is_none_is_told(tmp_path: Path, note: bytes) -> None:
    folder = tmp_path / "0" / "quarantine"
    folder.mkdir(parents=True)
    (folder / "x.json").write_bytes(note)

    (found,) = look(tmp_path)

    assert "the note x.json cannot be read" in str(found.reason)


def test_no_spool_at_all(tmp_path: Path) -> None:
    assert list(look(tmp_path / "none")) == []


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "0000000000000001-00000000.seg").symlink_to(tmp_path)

    with pytest.raises(SpoolError, match="cannot be read"):
        list(look(tmp_path))
