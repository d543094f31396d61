"""The packets of Flymaster instruments: values to the last bit, and damage that costs no more than it must."""

import numpy as np
import pytest

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.flymaster_binary import looks_like_packets, parse_flymaster_binary
from pointq.formats.flymaster_binary.parse import pressure_altitude
from pointq.formats.track import Part, TrackFile
from tests.support.packets import END, about, fix, packet, steps

VECTOR = bytes.fromhex("a1a111802f3a2a0005fef8ffd2043d22c056152e36")
NEXT = bytes.fromhex("a2a2068005fd02ff0182")
NOON_US = 1_719_835_200_000_000
"""2024-07-01T12:00:00Z."""
NOW_US = 1_767_225_600_000_000
STEP = (0x80, 1, 1, 1, 1, 1)


def parse(*pieces: bytes) -> TrackFile:
    return parse_flymaster_binary(b"".join(pieces), now_us=NOW_US)


def rejects(track: TrackFile) -> list[tuple[str, str]]:
    return [(reject.place, reject.reason) for reject in track.rejects]


def test_the_vector() -> None:
    track = parse(VECTOR, NEXT)
    pressure = [1 - (hectopascals / 1013.25) ** 0.190284 for hectopascals in (876.5, 876.4)]
    assert {name: values.tolist() for name, values in track.columns.items()} == {
        "time": [NOON_US, NOON_US + 1_000_000],
        "lat": [46.12345, 2_767_412 / 60_000],
        "lon": [459_259 / 60_000, 459_262 / 60_000],
        "elevation": [1234.0, 1236.0],
        "barometric_altitude": pytest.approx([44_307.69 * x for x in pressure], rel=1e-13),
        "valid": [1, 1],
    }
    assert (track.format, track.records, len(track.rejects), track.serial) == ("flymaster-binary", 2, 0, None)


def test_the_writer_of_these_tests_writes_the_vector() -> None:
    assert fix(seconds=NOON_US // 10**6 - 946_684_800) + steps([(0x80, 5, -3, 2, -1, 1)]) == VECTOR + NEXT


def test_steps_add_up_across_packets() -> None:
    track = parse(fix(), steps([STEP] * 42), steps([]), steps([STEP]), fix(lat=600_000), steps([STEP] * 2), END)
    assert track.columns["lat"].tolist() == [(2_767_407 + i) / 60_000 for i in range(44)] + [
        (600_000 + i) / 60_000 for i in range(3)
    ]
    assert track.columns["lon"].tolist()[:44] == [(459_259 - i) / 60_000 for i in range(44)]
    assert np.diff(track.columns["time"])[:43].tolist() == [1_000_000] * 43
    assert (track.records, track.complete) == (47, True)


@pytest.mark.parametrize(("flags", "valid"), [(0x80, 1), (0xFF, 1), (0x7F, 0), (0, 0)])
def test_one_bit_says_whether_a_fix_is_valid(flags: int, valid: int) -> None:
    track = parse(fix(flags=flags), steps([(flags ^ 0x80, 1, 0, 0, 0, 1)]))
    assert track.columns["valid"].tolist() == [valid, 1 - valid]


def test_every_quarter_of_the_earth() -> None:
    track = parse(*(fix(lat=lat, lon=lon) for lat in (60_000, -60_000) for lon in (90_000, -90_000)))
    assert track.columns["lat"].tolist() == [1.0, 1.0, -1.0, -1.0]
    assert track.columns["lon"].tolist() == [-1.5, 1.5, -1.5, 1.5]


def test_there_is_no_negative_zero() -> None:
    track = parse(fix(lon=0))
    assert not np.signbit(track.columns["lon"]).any()


def test_altitude_by_pressure() -> None:
    assert pressure_altitude(np.array([1013.25])).tolist() == [0.0]
    assert pressure_altitude(np.array([540.2])) == pytest.approx([5_000], abs=3)  # the constants are the instrument's
    assert np.isnan(pressure_altitude(np.array([0.0, -3.0]))).all()
    assert "barometric_altitude" not in parse(fix(pressure=0)).columns


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (fix(lat=0, lon=0), Flaw.NULL_ISLAND),
        (fix(lat=90 * 60_000 + 1), Flaw.LATITUDE_RANGE),
        (fix(lon=-180 * 60_000 - 1), Flaw.LONGITUDE_RANGE),
        (fix(seconds=86_399), Flaw.POWER_UP),
        (fix(seconds=2**32 - 1), Flaw.FUTURE),
    ],
)
def test_a_fix_that_is_none(bad: bytes, flaw: Flaw) -> None:
    track = parse(fix(), bad, fix(lat=60_000))
    assert rejects(track) == [("packet 2, byte 21", flaw.text)]
    assert (len(track), track.records) == (2, 3)


def test_what_follows_a_damaged_packet_waits_for_the_next_position() -> None:
    damaged = bytearray(steps([STEP] * 3))
    damaged[5] ^= 1
    track = parse(fix(), bytes(damaged), steps([STEP, STEP]), fix(lat=60_000), steps([STEP]))
    assert track.columns["lat"].tolist() == [2_767_407 / 60_000, 1.0, 60_001 / 60_000]
    assert rejects(track) == [
        ("packet 2, byte 21", Flaw.PACKET_CHECKSUM.text),
        ("packet 3, byte 46", Flaw.NO_BASE.text),
        ("packet 3, byte 52", Flaw.NO_BASE.text),
    ]
    assert track.records == 6


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (packet(0xA1, bytes(16)), Flaw.PACKET_LENGTH),
        (packet(0xA2, bytes(7)), Flaw.PACKET_LENGTH),
        (packet(0xA0, bytes(60)), Flaw.PACKET_LENGTH),
        (packet(0xA4, bytes(6)), Flaw.NO_PACKET),
        (b"\r\n", Flaw.NO_PACKET),
        (b"\0" * 5000, Flaw.NO_PACKET),
        (b"\xa3", Flaw.NO_PACKET),
        (b"\xa1\xa1\x11", Flaw.PACKET_CHECKSUM),
    ],
)
def test_what_is_no_packet_is_one_reject_and_costs_the_position(bad: bytes, flaw: Flaw) -> None:
    track = parse(fix(), bad, steps([STEP]), fix(lat=60_000))
    assert rejects(track) == [("packet 2, byte 21", flaw.text), (f"packet 3, byte {21 + len(bad) + 3}", Flaw.NO_BASE.text)]
    assert len(track) == 2


def test_a_lost_byte_costs_one_packet() -> None:
    whole = about(17) + b"".join(fix(lat=60_000 * i) for i in range(1, 5)) + END
    for at in range(len(about(17)), len(whole) - 2):
        track = parse(whole[:at], whole[at + 1 :])
        assert (len(track), len(track.rejects), track.complete) == (3, 1, True), at


def test_steps_before_any_position_are_relative_to_nothing() -> None:
    assert rejects(parse(steps([STEP]), fix())) == [("packet 1, byte 3", Flaw.NO_BASE.text)]
    assert rejects(parse(fix(), about(17), steps([STEP]))) == [("packet 3, byte 91", Flaw.NO_BASE.text)]
    assert rejects(parse(fix(), END, steps([STEP]))) == [("packet 2, byte 26", Flaw.NO_BASE.text)]


def test_a_cut_at_any_place() -> None:
    whole = about(17) + fix() + steps([STEP] * 3) + END
    edges = {67: 0, 88: 1, 110: 4}
    for length in range(1, len(whole)):
        if length < 67:
            with pytest.raises(FormatError, match="found none"):
                parse(whole[:length])
            continue
        track = parse(whole[:length])
        assert len(track) == max(fixes for edge, fixes in edges.items() if edge <= length)
        assert not track.complete
        assert len(track.rejects) == (length not in edges)
    assert rejects(parse(whole[:105])) == [("packet 3, byte 88", Flaw.PACKET_CUT.text)]


def test_each_instrument_and_each_of_its_tracks_is_a_part() -> None:
    track = parse(fix(), about(17), fix(), fix(seconds=773_150_401), END, about(17), fix(lat=60_000), END, about(18), fix())
    assert track.parts == (Part(0, None), Part(1, "17"), Part(3, "17"), Part(4, "18"))
    assert (track.serial, track.duplicates, track.device) == (None, 0, "Flymaster LIVE SD")


def test_one_instrument() -> None:
    track = parse(about(4_294_967_295), fix(), END)
    assert (track.serial, track.parts) == ("4294967295", (Part(0, "4294967295"),))


@pytest.mark.parametrize(
    ("brand", "model", "device"),
    [(b"Fly\0rubbish", b"\xe9\x01", "Fly é"), (b"", b"GPS", "GPS"), (b"\0", b"", None)],
)
def test_the_texts_of_an_instrument(brand: bytes, model: bytes, device: str | None) -> None:
    assert parse(about(17, brand, model), fix()).device == device


def test_a_longer_introduction_is_read_as_well() -> None:
    longer = packet(0xA0, about(17)[3:-1] + b"more")
    assert parse(longer, fix()).serial == "17"


def test_a_packet_inside_anothers_data_is_data() -> None:
    inner = steps([])
    rows = [(0xA2, -94, 0, 0, 0, 0)]
    assert inner == bytes([0xA2, 0xA2, 0, 0])
    track = parse(fix(), steps(rows))
    assert (len(track), len(track.rejects)) == (2, 0)


def test_packets_over_the_edge_of_a_block() -> None:
    packets = [fix(lat=60_000), *[steps([STEP] * 42)] * 9000]
    track = parse(*packets)
    assert sum(map(len, packets)) > 2 * 2**20
    assert (track.records, len(track), len(track.rejects)) == (1 + 42 * 9000, 1 + 42 * 9000, 0)
    assert track.columns["time"][-1] - track.columns["time"][0] == 42 * 9000 * 1_000_000
    gap = parse(*packets[:5000], b"\0" * 3_000_000, *packets)
    assert gap.records == 1 + 42 * 4999 + 1 + track.records


@pytest.mark.parametrize("data", [b"", b"\xa3\xa3", b"\xa0\xa0", b"Dear Sir", VECTOR[:-1]])
def test_without_any_packet_it_is_an_error(data: bytes) -> None:
    with pytest.raises(FormatError, match="expected A0A0, A1A1 or A2A2, a length, data and their XOR, found none"):
        parse(data)


def test_packets_without_a_fix_are_no_error() -> None:
    track = parse(about(17), END)
    assert (len(track), track.records, track.parts, track.complete) == (0, 0, (), True)


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (VECTOR, True),
        (NEXT, True),
        (b"junk" + about(17), True),
        (b"junk" + VECTOR, False),
        (b"x" * 5000 + about(17), False),
        (END + fix(), False),
        (b"", False),
        (b"\xa0", False),
    ],
)
def test_how_packets_are_recognised(data: bytes, *, looks: bool) -> None:
    assert looks_like_packets(data) == looks
