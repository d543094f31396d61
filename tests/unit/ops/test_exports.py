"""Export files: what is written is read again, and whatever is wrong with one is noticed."""

import errno
import json
import os
import resource
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointq.errors import FormatError, PointqError
from pointq.ops.batches import Batch, Failure
from pointq.ops.exports import FIELDS, Export, author, read

BATCH = Batch(
    "upload",
    0,
    "pointq:{upload.0}:stream",
    "1764000000000-0",
    "dead",
    3,
    b"\x00PQF\xff",
    deliveries=2,
    sqlstate="22003",
    message='value "é\n" is out of range',
    first_seen="2026-06-21T12:00:00.000Z",
    last_seen="2026-06-21T12:00:01.500Z",
    failures=(Failure("2026-06-21T12:00:01.500Z", "22003", "out of range"),),
)
READY = Batch("live", 1, "pointq:{live.1}:stream", "1764000000000-1", "ready", 4, b"", deliveries=0)


def export(path: Path, *batches: Batch) -> Path:
    with Export(path, "all", "dead") as file:
        for batch in batches:
            file.add(batch)
        file.finish()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return export(tmp_path / "e.jsonl", BATCH, READY)


def test_what_is_written_is_read(path: Path) -> None:
    assert list(read(path)) == [BATCH, READY]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["e.jsonl"]


def test_the_lines_are_as_described(path: Path) -> None:
    first, dead, ready, last = (json.loads(line) for line in path.read_bytes().splitlines())

    assert first.pop("made_at").endswith("Z")
    assert first == {"pointq_export": 1, "by": author(), "kind": "all", "state": "dead"}
    assert set(dead) == {*FIELDS, "frame"}
    assert (dead["frame"], dead["failures"][0]["sqlstate"]) == ("AFBRRv8=", "22003")
    assert (ready["sqlstate"], ready["failures"]) == (None, [])
    assert last == {"batches": 2, "points": 7}


def test_an_empty_one(tmp_path: Path) -> None:
    assert list(read(export(tmp_path / "e"))) == []


def test_what_is_not_finished_is_not_there(tmp_path: Path) -> None:
    with Export(tmp_path / "e", "all", "dead") as file:
        file.add(BATCH)

    assert list(tmp_path.iterdir()) == []


def test_no_file_is_replaced(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(PointqError, match="is there already"):
        export(path, BATCH)
    assert path.read_bytes() == before


def test_one_that_a_crash_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "e.new").write_bytes(b"half")

    assert list(read(export(tmp_path / "e", READY))) == [READY]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PointqError, match="cannot be written: No such file") as caught:
        export(tmp_path / "none" / "e", BATCH)
    assert "--export FILE" in str(caught.value.hint)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(PointqError, match=os.strerror(errno.EFBIG)):
            export(tmp_path / "e", replace(BATCH, frame=bytes(100_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_cut_file_gives_its_whole_batches_and_says_so(path: Path, lost: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines[:-lost])
    found: list[Batch] = []

    for content in (whole, whole + lines[-lost][:5]):
        path.write_bytes(content)
        found = []
        with pytest.raises(FormatError, match=r"was cut|is no export"):
            found.extend(read(path))
    assert found == [BATCH, READY][: max(3 - lost, 0)]


@pytest.mark.parametrize(
    ("number", "changes", "why"),
    [
        (0, {"pointq_export": 2}, "this is no export of pointq"),
        (1, {"frame": "!"}, ":2: this is no batch of an export"),
        (1, {"frame": 3}, ":2: this is no batch of an export"),
        (1, {"failures": None}, ":2: this is no batch of an export"),
        (3, {"points": 8}, ":4: 2 batches of 7 points are in the file, which says otherwise"),
    ],
)
def test_a_line_that_was_changed(path: Path, number: int, changes: dict[str, Any], why: str) -> None:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[number] |= changes
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    with pytest.raises(FormatError, match=why):
        list(read(path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]\n", b"{}\n", b"3\n"])
def test_another_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)

    with pytest.raises(FormatError):
        list(read(tmp_path / "other"))


def test_lines_behind_the_last(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{}\n")

    with pytest.raises(FormatError, match="which says otherwise"):
        list(read(path))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        list(read(tmp_path / "none"))
