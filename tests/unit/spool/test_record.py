"""A record comes back as it was, or not at all."""

from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq.points.kinds import KINDS
from pointq.spool.record import HEAD_BYTES, MAGIC, MAX_FRAME_BYTES, Record, encode, read_head

SALT = 0xC0FFEE

records = st.builds(
    Record,
    st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=16),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=300),
    st.integers(-(2**63), 2**63 - 1),
)


@given(records, st.integers(0, 2**32 - 1))
def test_it_comes_back(record: Record, salt: int) -> None:
    data = encode(record, salt)
    head = read_head(data, salt)

    assert head is not None
    assert head.size == len(data) == record.size
    assert head.fits(data[HEAD_BYTES:])
    assert Record(head.kind, head.points, data[HEAD_BYTES:], head.time_us) == record


@given(records, st.data())
def test_a_flipped_bit_is_noticed(record: Record, data: st.DataObject) -> None:
    changed = bytearray(encode(record, SALT))
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    head = read_head(bytes(changed), SALT)

    assert head is None or not head.fits(bytes(changed[HEAD_BYTES:]))


@given(st.binary(max_size=100))
def test_other_bytes_are_no_head(data: bytes) -> None:
    assert read_head(data, SALT) is None


def test_a_record_of_another_segment_is_none() -> None:
    assert read_head(encode(Record("live", 1, b"frame", 0), SALT), SALT + 1) is None


def test_a_head_that_claims_too_much_is_none() -> None:
    for length, told in ((MAX_FRAME_BYTES, MAX_FRAME_BYTES), (MAX_FRAME_BYTES + 1, None)):
        rest = encode(Record("live", 1, b"", 0), SALT)[8:12] + length.to_bytes(4, "little") + bytes(28)
        head = read_head(MAGIC + crc32(rest, SALT).to_bytes(4, "little") + rest, SALT)
        assert (head.length if head else None) == told


def test_every_kind_has_a_name_that_fits() -> None:
    for kind in KINDS.values():
        assert Record(kind.name, 1, b"", 0).kind == kind.name


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ""},
        {"kind": "flüge"},
        {"kind": "a\0b"},
        {"kind": "x" * 17},
        {"points": -1},
        {"points": 2**32},
        {"time_us": 2**63},
        {"frame": bytes(MAX_FRAME_BYTES + 1)},
    ],
)
def test_what_no_record_can_hold_is_refused_before_it_meets_others(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"name of a kind|cannot hold|holds up to"):
        Record(**{"kind": "live", "points": 1, "frame": b"", "time_us": 0, **wrong})
