"""Several processes, one root: each has a slot of its own, and what a dead one left is drained by another."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pointq.errors import SpoolError
from pointq.spool.directory import Room, open_directory
from pointq.spool.files import Files
from pointq.spool.slots import Orphans, slots
from tests.unit.spool.books import NOW_US, SEGMENT_BYTES, drain, number_of, own, owned, record, segments
from tests.unit.spool.disks import FaultyFiles, failing

_CHILD = """
import json, sys
from pathlib import Path
from tests.unit.spool.books import own, record

directory = own(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    directory.append([record(number), record(number + 1)])
    print(json.dumps([number, number + 1]), flush=True)
    number += 2
"""


def orphans(root: Path, own_folder: Path, files: Files | None = None) -> Orphans:
    files = files or Files()
    return Orphans(root, own_folder, partial(open_directory, files=files, segment_bytes=SEGMENT_BYTES, now_us=lambda: NOW_US))


def drain_orphans(found: Orphans) -> list[int]:
    numbers: list[int] = []
    while (taken := found.take(Room(3, 10**6))) is not None:
        numbers += map(number_of, taken.records)
        taken.directory.commit(taken.position)
    return numbers


@contextmanager
def appending(root: Path, start: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that appends as fast as it can, and says what was acknowledged."""
    command = (sys.executable, "-c", _CHILD, str(root), str(start))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as child:
        try:
            yield child
        finally:
            child.kill()


def acknowledged(child: "subprocess.Popen[bytes]", *, lines: int | None = None) -> list[int]:
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)] if lines else child.stdout.readlines()
    return [number for line in said if line.endswith(b"]\n") for number in json.loads(line)]


def test_each_owner_takes_the_first_free_slot(tmp_path: Path) -> None:
    with owned(tmp_path) as first, owned(tmp_path) as second:
        with owned(tmp_path) as third:
            assert [d.folder.name for d in (first, second, third)] == ["0", "1", "2"]
        second.close()
        with owned(tmp_path) as again:
            assert again.folder.name == "1"
    assert [path.name for path in slots(tmp_path)] == ["0", "1", "2"]


def test_there_are_no_more_slots_than_make_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointq.spool.slots.MAX_SLOTS", 1)
    with owned(tmp_path), pytest.raises(SpoolError, match=r"all 1 slots of the spool in .* are in use"):
        own(tmp_path)


def test_slots_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    assert slots(tmp_path / "none") == []
    for name in ("10", "9", "x", "1"):
        (tmp_path / name).mkdir()
    (tmp_path / "2").touch()
    assert [path.name for path in slots(tmp_path)] == ["1", "9", "10"]


def test_what_a_killed_process_acknowledged_is_drained_by_another(tmp_path: Path) -> None:
    with owned(tmp_path) as directory, appending(tmp_path, 0) as one, appending(tmp_path, 10**5) as two:
        promised = acknowledged(one, lines=20) + acknowledged(two, lines=20)
        assert drain_orphans(orphans(tmp_path, directory.folder)) == []  # they live
        for child in (one, two):
            os.kill(child.pid, signal.SIGKILL)
            promised += acknowledged(child)
            child.wait()
        found = drain_orphans(orphans(tmp_path, directory.folder))

    assert set(promised) <= set(found)
    assert [n for n in found if n < 10**5] == list(range(len([n for n in found if n < 10**5])))
    assert not list(tmp_path.glob("*/*.seg"))
    assert not list(tmp_path.glob("*/quarantine"))


def test_a_process_that_starts_again_finds_its_own(tmp_path: Path) -> None:
    promised: list[int] = []
    for start in (0, 10**4, 2 * 10**4):
        with appending(tmp_path, start) as child:
            promised += acknowledged(child, lines=5)
            os.kill(child.pid, signal.SIGKILL)
            promised += acknowledged(child)
    with owned(tmp_path) as directory:
        assert directory.folder.name == "0"
        assert set(promised) <= set(drain(directory))


def test_a_slot_is_held_only_while_it_is_drained(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        with owned(tmp_path) as dead:
            dead.append([record(n) for n in range(5)])
        found = orphans(tmp_path, directory.folder)
        taken = found.take(Room(3, 10**6))
        assert taken is not None
        with owned(tmp_path) as other:
            assert other.folder.name == "2"
        taken.directory.commit(taken.position)
        assert drain_orphans(found) == [3, 4]
        with owned(tmp_path) as other:
            assert other.folder.name == "1"


def test_a_slot_that_was_given_back_half_drained_goes_on(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        with owned(tmp_path) as dead:
            dead.append([record(n) for n in range(5)])
        found = orphans(tmp_path, directory.folder)
        taken = found.take(Room(3, 10**6))
        assert taken is not None
        taken.directory.commit(taken.position)
        found.close()
        found.close()
        with owned(tmp_path) as heir:
            assert heir.folder.name == "1"
            assert drain(heir) == [3, 4]


def test_a_slot_that_fails_keeps_nobody_from_the_next(tmp_path: Path) -> None:
    with owned(tmp_path) as directory:
        with owned(tmp_path) as bad, owned(tmp_path) as good:
            bad.append([record(0)])
            good.append([record(1)])
        files = FaultyFiles(lambda name, count: failing(name, count)(name, count) if name == "open" and count != 1 else None)
        found = orphans(tmp_path, directory.folder, files)
        # of slot 1 the segment cannot be opened; of slot 2 it can, to recover it, and then not to read it
        with pytest.raises(SpoolError, match=r"the spool in .*1 cannot be read: Input/output error"):
            found.take(Room(3, 10**6))
        with owned(tmp_path) as first, owned(tmp_path) as second:
            assert [first.folder.name, second.folder.name] == ["1", "2"]  # none is held by what failed
        files.faulty = failing("open", files.calls["open"])
        assert drain_orphans(found) == [1, 0]


def test_an_empty_slot_is_not_touched(tmp_path: Path) -> None:
    with owned(tmp_path) as directory, owned(tmp_path):
        pass
    (tmp_path / "1" / "lock").unlink()
    assert drain_orphans(orphans(tmp_path, directory.folder)) == []
    assert list((tmp_path / "1").iterdir()) == []
    assert segments(tmp_path) == []
