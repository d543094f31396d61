"""Names, headers, marks and positions are what was written, or nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.spool import position
from pointq.spool.position import Position
from pointq.spool.segment import START, Header, Mark, listed, name_of, parse_name, read_header, read_mark

SALT = 0xC0FFEE
HEADER = Header(1, SALT, 12, 1_782_043_200_000_000)
MARK = Mark(4096, 17, 1234)
FRONT = HEADER.pack() + MARK.pack(SALT)
POSITION = Position(12, 4096, 17, 1234)

numbers = st.integers(0, 2**64 - 1)


@given(numbers, numbers, numbers, st.integers(0, 2**32 - 1))
def test_headers_and_marks_come_back(a: int, b: int, c: int, salt: int) -> None:
    header, mark = Header(1, salt, a, b - 2**63), Mark(a, b, c)
    front = header.pack() + mark.pack(salt)

    assert len(front) == START
    assert read_header(front) == header
    assert read_mark(front, salt) == mark


@given(numbers, numbers, numbers, numbers)
def test_positions_come_back(segment: int, offset: int, records: int, points: int) -> None:
    written = Position(segment, offset, records, points)

    assert position.unpack(written.pack()) == written


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (HEADER.pack(), read_header),
        (FRONT, lambda data: read_mark(data, SALT) if data[:28] == FRONT[:28] else None),
    ],
    ids=["header", "mark"],
)
def test_every_flipped_bit_is_noticed(data: bytes, read: Callable[[bytes], object]) -> None:
    assert read(data) is not None
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert read(bytes(changed)) is None, bit


def test_a_flipped_bit_moves_no_position() -> None:
    data = POSITION.pack()
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        # a letter of the checksum may change its case
        assert position.unpack(bytes(changed)) in {None, POSITION}, bit


@given(st.binary(max_size=80))
def test_no_bytes_make_them_raise(data: bytes) -> None:
    assert position.unpack(data) is None
    assert read_header(data) is None
    assert read_mark(data, SALT) is None


def test_names_sort_by_age(tmp_path: Path) -> None:
    names = [name_of(number, salt) for number, salt in ((1, 99), (2, 5), (10, 3), (1000, 0))]
    for name in [*reversed(names), "position", "0000000000000003-00000000.seg.new", "x.seg"]:
        (tmp_path / name).touch()

    assert [path.name for path in listed(tmp_path)] == names
    assert [parse_name(name) for name in names] == [(1, 99), (2, 5), (10, 3), (1000, 0)]


def test_a_position_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert position.load(tmp_path) == Position()
    (tmp_path / "position").mkdir()
    assert position.load(tmp_path) is None
