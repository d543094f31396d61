"""Any order of appends, reads, restarts and power losses at any call; any bit flipped, any file cut."""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.spool.directory import Directory
from pointq.spool.record import HEAD_BYTES
from pointq.spool.segment import START
from tests.unit.spool.books import SEGMENT_BYTES, drain, flip, notes, number_of, own, owned, record, segments, take
from tests.unit.spool.disks import LossyFiles, PowerLoss

_SIZES = st.lists(st.integers(6, 400), min_size=1, max_size=3)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _SIZES),
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("lose power after"), st.integers(0, 12)),
    ),
    min_size=1,
    max_size=40,
)


@dataclass
class _Machine:
    """A spool on a disk of which a power loss leaves what was synced, and the books of what it was given and gave."""

    root: Path
    chance: random.Random
    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)
    delivered: set[int] = field(default_factory=set)
    directory: Directory | None = None

    def __post_init__(self) -> None:
        self.files = LossyFiles(self.root)

    def run(self, step: str, value: object) -> None:
        try:
            directory = self._open()
            if step == "append":
                assert isinstance(value, list)
                self._append(directory, value)
            elif step == "read":
                assert isinstance(value, int)
                self._read(directory, value)
            elif step == "restart":
                self._close()
            else:
                assert isinstance(value, int)
                self._stop_after(value)
        except PowerLoss:
            self._restart()

    def end(self) -> None:
        self.files.faulty = lambda _name, _count: None
        self.delivered.update(drain(self._open()))
        self._close()

    def _open(self) -> Directory:
        if self.directory is None:
            self.directory = own(self.root, self.files)
        return self.directory

    def _close(self) -> None:
        if self.directory is not None:
            self.directory.close()
        self.directory = None

    def _append(self, directory: Directory, sizes: list[int]) -> None:
        numbers = range(self.sent, self.sent + len(sizes))
        self.sent += len(sizes)
        directory.append([record(number, size) for number, size in zip(numbers, sizes, strict=True)])
        self.acknowledged.update(numbers)

    def _read(self, directory: Directory, most: int) -> None:
        if taken := take(directory, most):
            numbers = [number_of(found) for found in taken.records]
            assert numbers == sorted(numbers)
            self.delivered.update(numbers)
            directory.commit(taken.position)

    def _stop_after(self, calls: int) -> None:
        left = iter(range(calls))

        def faulty(_name: str, _count: int) -> OSError | None:
            if next(left, None) is None:
                raise PowerLoss
            return None

        self.files.faulty = faulty

    def _restart(self) -> None:
        self.files.faulty = lambda _name, _count: None
        self._close()
        self.files.lose_power(self.chance)


@settings(max_examples=300, deadline=None)
@given(_STEPS, st.integers(0, 2**32))
def test_a_power_loss_at_any_call_loses_nothing_acknowledged(steps: list[tuple[str, object]], seed: int) -> None:
    with TemporaryDirectory() as folder:
        machine = _Machine(Path(folder), random.Random(seed))  # noqa: S311 - a seed must give the same again
        for step, value in steps:
            machine.run(step, value)
        machine.end()

        assert machine.acknowledged <= machine.delivered <= set(range(machine.sent))
        assert notes(machine.root) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(6, 400), min_size=1, max_size=12), st.integers(0, 8), st.data())
def test_a_flipped_bit_loses_one_record_at_most_and_says_which(sizes: list[int], read: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        known = _spooled(root, sizes, read)
        files = [path for path in (root / "0").iterdir() if path.is_file() and path.name != "lock"]
        if not files:
            return
        path = data.draw(st.sampled_from(sorted(files)))
        flip(path, data.draw(st.integers(0, path.stat().st_size * 8 - 1)))
        with owned(root) as directory:
            delivered = drain(directory)

        lost = set(range(len(sizes))) - known - set(delivered)
        assert delivered == sorted(delivered)
        assert len(lost) <= 1
        assert lost <= {number for note in notes(root) for number in _kept(root, note["file"], sizes, known)}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(6, 400), min_size=1, max_size=12), st.integers(0, 8), st.data())
def test_a_segment_cut_anywhere_loses_what_was_behind_and_says_so(sizes: list[int], read: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        known = _spooled(root, sizes, read)
        if not segments(root):
            return
        path = data.draw(st.sampled_from(segments(root)))
        cut = data.draw(st.integers(0, path.stat().st_size - 1))
        with path.open("r+b") as file:
            file.truncate(cut)
        with owned(root) as directory:
            delivered = drain(directory)

        whole = [n for n, (number, end) in enumerate(_places(sizes)) if number != int(path.name[:16]) or START <= cut >= end]
        assert delivered == [n for n in whole if n not in known]
        assert len(notes(root)) == 1
        assert "was cut" in notes(root)[0]["reason"]


def _spooled(root: Path, sizes: list[int], read: int) -> set[int]:
    """Spool records and commit some of them, those that are returned."""
    files = LossyFiles(root)
    with owned(root, files) as directory:
        for number, size in enumerate(sizes):
            directory.append([record(number, size)])
        taken = take(directory, read) if read else None
        if taken is None:
            return set()
        directory.commit(taken.position)
        return {number_of(found) for found in taken.records}


def _places(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """The segment of each record, and where in it the record ends."""
    segment, end = 1, START
    for size in sizes:
        if end + HEAD_BYTES + size > SEGMENT_BYTES and end > START:
            segment, end = segment + 1, START
        end += HEAD_BYTES + size
        yield segment, end


def _kept(root: Path, name: str | None, sizes: list[int], known: set[int]) -> set[int]:
    """The records of which the kept region has all but one bit."""
    kept = (root / "0" / "quarantine" / name).read_bytes() if name else b""
    found = set()
    for number in set(range(len(sizes))) - known:
        frame = record(number, sizes[number]).frame
        with suppress(ValueError):
            rest = kept[-len(frame) :]
            if len(rest) == len(frame) and sum((a ^ b).bit_count() for a, b in zip(rest, frame, strict=True)) <= 1:
                found.add(number)
    return found
