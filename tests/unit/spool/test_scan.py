"""What a walk finds in bytes that are cut or changed anywhere."""

import tracemalloc
from zlib import crc32

import pytest

from pointq.spool.record import HEAD_BYTES, MAX_FRAME_BYTES, Record, encode
from pointq.spool.scan import Damage, Found, Item, Scan, Torn

SALT = 0xC0FFEE
RECORDS = [Record("live", n, bytes([n]) * (20 * n), n) for n in range(1, 5)]
DATA = b"".join(encode(record, SALT) for record in RECORDS)
ENDS = [sum(record.size for record in RECORDS[: n + 1]) for n in range(len(RECORDS))]


def walk(data: bytes, acknowledged: int, at: int = 0) -> list[Item]:
    items = list(Scan(lambda offset, size: data[offset : offset + size], SALT, len(data), acknowledged).items(at))
    borders = [at, *(item.end for item in items)]
    assert [item.at for item in items] == borders[:-1]
    assert borders[-1] == max(len(data), acknowledged, at)
    return items


def frames(items: list[Item]) -> list[bytes]:
    return [item.frame for item in items if isinstance(item, Found)]


def test_what_is_intact_is_found() -> None:
    assert frames(walk(DATA, len(DATA))) == [record.frame for record in RECORDS]
    assert walk(DATA, len(DATA), ENDS[-1]) == []


def test_every_flipped_bit_costs_its_record_alone() -> None:
    for bit in range(len(DATA) * 8):
        changed = bytearray(DATA)
        changed[bit // 8] ^= 1 << bit % 8
        items = walk(bytes(changed), len(DATA))

        hit = next(n for n, end in enumerate(ENDS) if bit // 8 < end)
        assert frames(items) == [record.frame for n, record in enumerate(RECORDS) if n != hit], bit
        (damage,) = (item for item in items if not isinstance(item, Found))
        assert isinstance(damage, Damage)
        assert (damage.at, damage.end) == (ENDS[hit] - RECORDS[hit].size, ENDS[hit]), bit


@pytest.mark.parametrize("acknowledged", [0, 1, 2, 3, 4])
def test_every_cut_is_torn_behind_the_mark_and_damage_before_it(acknowledged: int) -> None:
    mark = ([0, *ENDS])[acknowledged]
    for cut in range(len(DATA)):
        items = walk(DATA[:cut], mark)
        whole = sum(end <= cut for end in ENDS)

        assert frames(items) == [record.frame for record in RECORDS[:whole]]
        rest = items[whole:]
        if cut < mark:
            assert [type(item) for item in rest] == [Damage]
            assert rest[0].end == mark
        elif cut in (0, *ENDS):
            assert rest == []
        else:
            assert rest == [Torn(([0, *ENDS])[whole], cut)]


def test_what_is_known_of_a_damaged_frame_is_said() -> None:
    changed = DATA[: ENDS[1] - 1] + b"?" + DATA[ENDS[1] :]

    assert walk(changed, len(DATA))[1] == Damage(ENDS[0], ENDS[1], "the checksum of the record does not match", "live", 2)


def test_zeros_at_the_end_are_torn_and_other_bytes_are_not() -> None:
    assert walk(DATA + bytes(200_000), len(DATA))[-1] == Torn(len(DATA), len(DATA) + 200_000)
    assert isinstance(walk(DATA + bytes(200_000), len(DATA) + 1)[-1], Damage)
    assert isinstance(walk(DATA + bytes(100_000) + b"x", len(DATA))[-1], Damage)


def test_a_record_inside_a_frame_is_not_taken_for_one() -> None:
    forged = [encode(Record("live", 9, b"forged", 0), salt) for salt in (0, SALT + 1)]
    data = bytearray(encode(Record("live", 1, b"".join(forged), 0), SALT) + DATA)
    data[8] ^= 1  # so that a walk looks for the next record inside it

    assert frames(walk(bytes(data), len(data))) == [record.frame for record in RECORDS]


@pytest.mark.parametrize("gap", [65_530, 65_532, 65_533, 65_534, 65_535, 65_536, 65_537, 131_070, 400_000])
def test_the_next_record_is_found_however_far_it_is(gap: int) -> None:
    data = b"\xd7" + b"\xd7PQR" * 2 + bytes(gap - 9) + DATA

    assert frames(walk(data, len(data))) == [record.frame for record in RECORDS]


def test_a_record_that_claims_much_takes_no_memory() -> None:
    head = bytearray(encode(Record("live", 1, b"", 0), SALT)[:HEAD_BYTES])
    claims = [_sealed(head, length) for length in (MAX_FRAME_BYTES - 1, MAX_FRAME_BYTES + 1, 2**32 - 1)]
    tracemalloc.start()
    try:
        for claim in claims:
            assert frames(walk(claim + DATA, len(claim + DATA))) == [record.frame for record in RECORDS]
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def _sealed(head: bytearray, length: int) -> bytes:

    changed = bytearray(head)
    changed[12:16] = length.to_bytes(4, "little")
    changed[4:8] = crc32(bytes(changed[8:]), SALT).to_bytes(4, "little")
    return bytes(changed)
