"""What a small writer of packets writes is read back, whatever stands between them; and no bytes do any harm."""

from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.detect import Hints, parse
from pointq.formats.flymaster_binary import parse_flymaster_binary
from tests.support.packets import END, Step, about, fix, packet, steps

NOW_US = 1_767_225_600_000_000
EPOCH_S = 946_684_800

Values = tuple[int, ...]
"""lat, lon, altitude, pressure, seconds."""
Junk = st.binary(max_size=30).map(lambda data: bytes(byte for byte in data if not 0xA0 <= byte <= 0xA3))


@dataclass(frozen=True)
class Run:
    """An A1A1 packet and the A2A2 packets that follow it."""

    junk: bytes
    start: Values
    packets: list[list[Step]]


@dataclass(frozen=True)
class Device:
    serial: int
    runs: list[Run]
    ended: bool


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def some_steps() -> st.SearchStrategy[Step]:
    return st.tuples(st.integers(0, 255), signed(8), signed(8), signed(8), signed(8), st.integers(0, 255))


def runs() -> st.SearchStrategy[Run]:
    return st.builds(
        Run,
        junk=Junk,
        start=st.tuples(
            st.integers(-80 * 60_000, 80 * 60_000),
            st.integers(60_000, 170 * 60_000),
            signed(16),
            signed(16),
            st.integers(86_400, 800_000_000),
        ),
        packets=st.lists(st.lists(some_steps(), max_size=42), max_size=3),
    )


def devices() -> st.SearchStrategy[Device]:
    return st.builds(Device, serial=st.integers(0, 2**32 - 1), runs=st.lists(runs(), max_size=3), ended=st.booleans())


def write(device: Device) -> bytes:
    pieces = [about(device.serial)]
    for run in device.runs:
        lat, lon, altitude, pressure, seconds = run.start
        pieces += [run.junk, fix(lat, lon, altitude, pressure, seconds), *map(steps, run.packets)]
    return b"".join([*pieces, END * device.ended])


def expected(device: Device) -> list[tuple[float, ...]]:
    """Time, latitude, longitude of all fixes of a device, repeats left out."""
    found = []
    for run in device.runs:
        moves = [step[1:] for packet in run.packets for step in packet]
        for lat, lon, _, _, seconds in accumulate(
            moves, lambda at, by: tuple(map(sum, zip(at, by, strict=True))), initial=run.start
        ):
            found.append(((seconds + EPOCH_S) * 1_000_000, lat / 60_000, -lon / 60_000))
    return list(dict.fromkeys(found))


@settings(max_examples=200, deadline=None)
@given(st.lists(devices(), min_size=1, max_size=3))
def test_what_was_written_is_read(written: list[Device]) -> None:
    track = parse_flymaster_binary(b"".join(map(write, written)), now_us=NOW_US)
    names = ("time", "lat", "lon")
    rows = list(zip(*(track.columns[name].tolist() for name in names), strict=True))
    assert rows == [row for device in written for row in expected(device)]
    assert [part.device_id for part in track.parts] == [str(device.serial) for device in written if device.runs]
    junk = sum(bool(run.junk) for device in written for run in device.runs)
    assert len(track.rejects) == junk
    assert track.complete == written[-1].ended


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    must_not_raise_anything_else(data)
    must_not_raise_anything_else(fix() + data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.builds(packet, st.integers(0xA0, 0xA4), st.binary(max_size=64)) | st.just(END) | Junk, max_size=12))
def test_arbitrary_packets(packets: list[bytes]) -> None:
    must_not_raise_anything_else(b"".join(packets))
    must_not_raise_anything_else(fix() + b"".join(packets))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"\xa0", b"\xa1", b"\xa2", b"\xa3", b"\0", b"\x06", b"\x11", fix(), about(1)]), max_size=60))
def test_arbitrary_pieces_of_packets(pieces: list[bytes]) -> None:
    must_not_raise_anything_else(b"".join(pieces))


@settings(max_examples=200, deadline=None)
@given(devices(), st.data())
def test_damaged_files(device: Device, data: st.DataObject) -> None:
    content = bytearray(write(device))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 40))
        content[at : at + length] = data.draw(st.binary(max_size=40))
    must_not_raise_anything_else(bytes(content))


@settings(max_examples=200, deadline=None)
@given(runs(), runs(), st.data())
def test_a_damaged_byte_costs_no_position_after_the_next_one(first: Run, second: Run, data: st.DataObject) -> None:
    """Whatever is read of what follows the next whole A1A1 packet is what was written."""
    before, after = write(Device(1, [first], ended=False)), write(Device(2, [second], ended=True))
    at = data.draw(st.integers(0, len(before) - 1))
    damaged = before[:at] + bytes([before[at] ^ data.draw(st.integers(1, 255))]) + before[at + 1 :]
    track = parse_flymaster_binary(damaged + after, now_us=NOW_US)
    part = next(part for part in track.parts if part.device_id == "2")
    rows = zip(*(track.columns[name].tolist()[part.first :] for name in ("time", "lat", "lon")), strict=True)
    assert list(rows) == expected(Device(2, [second], ended=True))


def must_not_raise_anything_else(data: bytes) -> None:
    for read in (partial(parse_flymaster_binary, data, now_us=NOW_US), partial(parse, data, Hints(NOW_US))):
        try:
            track = read()
        except FormatError:
            continue
        assert track.records == len(track) + len(track.rejects) + track.duplicates
        places = [(reject.offset or 0, reject.line) for reject in track.rejects]
        assert places == sorted(places)
        assert all(line >= 1 and offset < len(data) for offset, line in places)
