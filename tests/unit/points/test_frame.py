"""Frames: every batch comes back bit for bit, and no bytes do harm."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pointq.errors import FrameError
from pointq.points.batch import PointBatch, concat
from pointq.points.flights import Flight
from pointq.points.frame import MAX_BODY_BYTES, MAX_POINTS, decode, encode
from pointq.points.kinds import KINDS, LIVE, NULL_TEXT, SCORING, UPLOAD, Column, ColumnType, Kind

_START_US = 1_719_835_200_000_000
_GOLDEN = bytes.fromhex(
    "5051460174f81d610101030000000200000028b52ffd2083c50300f406050200070a00020070696c6f742d30303432c3"
    "a90100000100064598320104409a826600010295040801044056b71b007bf661d0080204c071b50400ead4000001814a"
    "820201029d3a0005f6fe0008080080009a9c00997500990000998800993c0099e400b93700bffeff35c1040102000e18"
    "a20c86"
)
"""A frame as version 1 wrote it on its first day; it must be read for ever."""


def _batch(kind: Kind, count: int, flights: tuple[Flight, ...] = (), **columns: Any) -> PointBatch:
    flights = flights or (Flight.of(kind.name, "pilot-0042", "phone-0042"),)
    always = {
        "time": _START_US + np.arange(count) * 1_000_000,
        "lat": np.round(46.5 + np.arange(count) * 1.23e-5, 7),
        "lon": np.round(7.9 + np.arange(count) * 2.34e-5, 7),
    }
    return PointBatch(kind, flights, np.arange(count, dtype=np.int32) % len(flights), always | columns)


def _golden() -> PointBatch:
    flights = (Flight.of("live", "pilot-0042"), Flight(UUID(int=7), None, "é"))
    return _batch(
        LIVE,
        3,
        flights,
        elevation=np.array([1500.5, np.nan, 1501.0]),
        speed=np.array([-0.0, 0.1, 1e300]),
        valid=np.array([1, 0, -1], np.int8),
    )


def test_a_frame_of_the_first_day() -> None:
    assert decode(_GOLDEN).equals(_golden())


# --- Any batch --------------------------------------------------------------------------------------------------------

_SCALES = st.sampled_from([1.0, 10.0, 1e3, 1e5, 1e7, 1e12, 60_000.0, 6e5, 6e6, 6e7, 3.0])


@st.composite
def _floats(draw: st.DrawFn, count: int) -> np.ndarray[Any, Any]:
    if draw(st.booleans()):
        anything: np.ndarray[Any, Any] = draw(
            hnp.arrays(np.float64, count, elements=st.floats(allow_nan=False), fill=st.sampled_from([0.0, -0.0, 1.5]))
        )
        return anything
    integers = draw(hnp.arrays(np.int64, count, elements=st.integers(-(10**7), 10**7)))
    values: np.ndarray[Any, Any] = integers / draw(_SCALES)
    if count and draw(st.booleans()):
        values[draw(st.integers(0, count - 1))] = draw(st.floats(allow_nan=False))
    return values


def _integers(count: int, low: int, high: int, dtype: str) -> st.SearchStrategy[Any]:
    around = st.integers(max(low, -300), min(high, 300))
    return hnp.arrays(dtype, count, elements=st.one_of(st.integers(low, high), around))


@st.composite
def _times(draw: st.DrawFn, count: int) -> np.ndarray[Any, Any]:
    if draw(st.booleans()):
        return draw(_integers(count, -(2**63) + 1, 2**63 - 1, "<i8"))
    unit = draw(st.sampled_from([1, 1_000, 1_000_000]))
    offsets: np.ndarray[Any, Any] = draw(_integers(count, -(10**6), 10**6, "<i8"))
    return (_START_US // unit + offsets) * unit


def _texts(count: int) -> st.SearchStrategy[Any]:
    text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12).map(str.encode)
    return st.lists(text, min_size=count, max_size=count).map(lambda texts: np.array(texts, "S48"))


def _values(column: Column, count: int) -> st.SearchStrategy[Any]:
    match column.type:
        case ColumnType.FLOAT:
            return _floats(count)
        case ColumnType.INT:
            return _integers(count, -(2**31) + 1, 2**31 - 1, "<i4")
        case ColumnType.BOOL:
            return st.one_of(_integers(count, 0, 1, "i1"), st.just(np.ones(count, np.int8)))
        case ColumnType.TIME:
            return _times(count)
        case ColumnType.TEXT:
            return _texts(count)


_FLIGHT_IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def _flights(draw: st.DrawFn, kind: Kind) -> tuple[Flight, ...]:
    ids = draw(st.lists(st.one_of(st.none(), _FLIGHT_IDS), min_size=1, max_size=6))
    device = st.one_of(st.none(), _FLIGHT_IDS)
    derived = [Flight.of(kind.name, flight_id, draw(device)) for flight_id in ids if flight_id is not None]
    others = [Flight(draw(st.uuids()), flight_id, draw(device)) for flight_id in ids]
    return tuple(draw(st.permutations(derived + others)))


@st.composite
def _batches(draw: st.DrawFn) -> PointBatch:
    kind = draw(st.sampled_from(list(KINDS.values())))
    count = draw(st.one_of(st.integers(0, 3), st.integers(0, 40), st.sampled_from([100, 257])))
    flights = draw(_flights(kind))
    flight = draw(_integers(count, 0, len(flights) - 1, "<i4"))
    columns = {}
    for column in kind.columns:
        if column.required or draw(st.booleans()):
            values = draw(_values(column, count))
            if not column.required and draw(st.booleans()):
                values[draw(hnp.arrays(np.bool_, count))] = column.type.value.null
            columns[column.name] = values
    return PointBatch(kind, flights, flight, columns)


@given(_batches())
@settings(max_examples=200, deadline=None)
def test_every_batch_comes_back_bit_for_bit(batch: PointBatch) -> None:
    frame = encode(batch)
    back = decode(frame)
    assert back.equals(batch)
    assert encode(batch) == frame
    assert back.flight.dtype == np.int32
    for column in batch.kind.columns:
        if column.name in back.columns and column.type is not ColumnType.TEXT:
            assert back.columns[column.name].dtype == np.dtype(column.type.value.dtype)


@given(_batches(), _batches())
@settings(max_examples=50, deadline=None)
def test_what_was_read_can_be_merged_and_written_again(one: PointBatch, other: PointBatch) -> None:
    kind = one.kind
    merged = concat([decode(encode(one)), PointBatch(kind, one.flights, one.flight, one.columns)])
    assert decode(encode(merged)).equals(merged)
    some = other.take(np.arange(len(other))[::-2])
    assert decode(encode(some)).equals(some)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_points(kind: Kind) -> None:
    for flights in ((), (Flight.of(kind.name, "x"),), (Flight.of(kind.name, "x"), Flight.of(kind.name, "y"))):
        empty = PointBatch(
            kind, flights, np.empty(0, np.int32), {"time": np.empty(0, np.int64), "lat": np.empty(0), "lon": np.empty(0)}
        )
        assert decode(encode(empty)).equals(empty)
        assert list(decode(encode(empty)).columns) == ["time", "lat", "lon"]


def test_a_column_of_nulls_costs_nothing() -> None:
    plain = _batch(LIVE, 50)
    assert encode(_batch(LIVE, 50, speed=np.full(50, np.nan), valid=np.full(50, -1, np.int8))) == encode(plain)


def test_any_nan_is_null() -> None:
    odd = np.array([0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0001, 0], np.uint64).view(np.float64)
    speed = decode(encode(_batch(LIVE, 3, speed=odd))).columns["speed"]
    assert speed.view(np.uint64).tolist() == [0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0000, 0]


def test_a_full_frame() -> None:
    batch = _batch(LIVE, MAX_POINTS, valid=np.ones(MAX_POINTS, np.int8))
    assert decode(encode(batch)).equals(batch)


def test_bools_beyond_true_and_false_survive() -> None:
    batch = _batch(LIVE, 3, valid=np.array([0, 1, 5], np.int8))
    assert decode(encode(batch)).equals(batch)


# --- Sizes ------------------------------------------------------------------------------------------------------------


def _walk(count: int, seed: int = 1) -> tuple[Any, Any, Any]:
    """A flight at 10 m/s with 0.3 m of noise: latitude, longitude, altitude."""
    random = np.random.default_rng(seed)
    course = np.cumsum(random.normal(0, 0.15, count))
    north, east = np.cumsum(10 * np.cos(course)), np.cumsum(10 * np.sin(course))
    noise = random.normal(0, 0.3, (2, count))
    altitude = 1500 + np.cumsum(random.normal(0, 1.2, count))
    return 46.5 + (north + noise[0]) / 111_320, 7.9 + (east + noise[1]) / 76_600, altitude


def _bytes_per_point(batch: PointBatch) -> float:
    return len(encode(batch)) / len(batch)


def test_sizes_of_flights() -> None:
    lat, lon, altitude = _walk(1000)
    assert _bytes_per_point(_batch(LIVE, 1000, lat=lat.round(7), lon=lon.round(7), elevation=altitude.round())) < 6
    assert _bytes_per_point(_batch(LIVE, 1000, lat=lat, lon=lon, elevation=altitude.round())) < 14
    minutes = {"lat": (lat * 60_000).round() / 60_000, "lon": (lon * 60_000).round() / 60_000}
    assert (
        _bytes_per_point(_batch(UPLOAD, 1000, **minutes, elevation=altitude.round(), barometric_altitude=altitude.round())) < 3
    )


def test_size_of_single_points_of_many_flights() -> None:
    random = np.random.default_rng(1)
    flights = tuple(Flight.of("live", f"pilot-{i:04}", f"phone-{i:04}") for i in range(30))
    batch = _batch(
        LIVE,
        30,
        flights,
        time=_START_US + random.integers(0, 3000, 30) * 1000,
        lat=random.uniform(46, 48, 30),
        lon=random.uniform(7, 9, 30),
        elevation=random.uniform(500, 3000, 30).round(1),
        speed=random.uniform(0, 20, 30).round(2),
    )
    assert _bytes_per_point(batch) < 48


# --- What no frame can hold -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (lambda: _batch(LIVE, MAX_POINTS + 1), "262145 points of 1 flights: a frame holds up to 262144 of each"),
        (lambda: _batch(LIVE, 3, lat=np.array([1, np.nan, 2])), "lat is NULL in 1 of 3 points, but never may be"),
        (lambda: _batch(LIVE, 2, time=np.array([1, -(2**63)])), "time is NULL in 1 of 2 points, but never may be"),
        (lambda: _batch(SCORING, 1, validity=np.array([b"x" * 256])), "a text of 256 bytes: a frame holds up to 255"),
        (
            lambda: _batch(LIVE, 1, (Flight.of("live", "x" * 65_536),)),
            "a flight_id or device_id of 65536 bytes: a frame holds up to 65535",
        ),
        (
            lambda: PointBatch(LIVE, (), np.zeros(1, np.int32), _batch(LIVE, 1).columns),
            "flights 0 to 0 of a table of 0",
        ),
        (
            lambda: PointBatch(LIVE, (Flight.of("live", "x"),), np.ones(1, np.int32), _batch(LIVE, 1).columns),
            "flights 1 to 1 of a table of 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(batch: Callable[[], PointBatch], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        encode(batch())


# --- Broken bytes -----------------------------------------------------------------------------------------------------


def _sealed(rest: bytes) -> bytes:
    """A frame with a checksum that fits, whatever is in it."""
    return struct.pack("<3sBI", b"PQF", 1, crc32(rest)) + rest


def _decode_or_refuse(data: bytes) -> None:
    try:
        batch = decode(data)
    except FrameError:
        return
    assert decode(encode(batch)).equals(batch)


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    text = np.array([b"A", b"", NULL_TEXT] * 4)
    scoring = _batch(SCORING, 12, validity=text, lad=np.arange(12, dtype=np.int32), in_flight=np.array([0, 1] * 6, np.int8))
    return [_GOLDEN, encode(scoring), encode(_batch(LIVE, 200, speed=np.arange(200) / 7)), encode(_batch(LIVE, 1))]


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused(data: bytes) -> None:
    for attempt in (data, b"PQF\x01" + data):
        with pytest.raises(FrameError):
            decode(attempt)


@given(st.sampled_from([0, 1]), st.integers(0, 5), st.integers(0, 40), st.integers(0, 3), st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_body_is_decoded_or_refused(flags: int, code: int, points: int, flights: int, body: bytes) -> None:
    _decode_or_refuse(_sealed(struct.pack("<BBII", flags, code, points, flights) + body))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_changed_frames_are_decoded_or_refused(frames: list[bytes], data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from(frames))
    header, body = frame[8:18], frame[18:]
    if header[0]:
        header, body = b"\0" + header[1:], zstandard.decompress(body)
    rest = bytearray(header + body)
    for _ in range(data.draw(st.integers(1, 3))):
        rest[data.draw(st.integers(0, len(rest) - 1))] = data.draw(st.integers(0, 255))
    del rest[data.draw(st.integers(len(rest) - 2, len(rest))) :]
    _decode_or_refuse(_sealed(bytes(rest)))


def test_every_flipped_bit_and_every_cut_is_noticed(frames: list[bytes]) -> None:
    for frame in frames:
        for place in range(len(frame)):
            with pytest.raises(FrameError):
                decode(frame[:place])
            for bit in (1, 128):
                changed = bytearray(frame)
                changed[place] ^= bit
                with pytest.raises(FrameError):
                    decode(bytes(changed))
        with pytest.raises(FrameError):
            decode(frame + b"\0")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a frame: 0 bytes, where 18 are the least"),
        (b'{"track_points": []}', "not a frame: begins with"),
        (b"PQF\x02" + bytes(20), "a frame of version 2, this pointq reads version 1"),
        (_sealed(struct.pack("<BBII", 2, 1, 0, 0)), "a frame with flags 2 of kind 1, which"),
        (_sealed(struct.pack("<BBII", 0, 9, 0, 0)), "a frame with flags 0 of kind 9, which"),
        (_sealed(struct.pack("<BBII", 0, 1, 2**32 - 1, 1)), "a frame of 4294967295 points and 1 flights"),
        (_sealed(struct.pack("<BBII", 0, 1, 0, 2**32 - 1)), "a frame of 0 points and 4294967295 flights"),
        (_sealed(struct.pack("<BBII", 0, 1, 5, 0) + b"\0"), "a frame of 5 points without a flight"),
        (_sealed(struct.pack("<BBII", 0, 1, 0, 0) + b"\0"), "time is missing in some points of the frame"),
        (
            _sealed(struct.pack("<BBII", 0, 1, 0, 0) + b"\1\0\0\0"),
            "a column of identity 0, given twice or unknown to live points",
        ),
        (_sealed(struct.pack("<BBII", 0, 1, 0, 1) + b"\x08"), "a flight with flags that this version"),
        (_sealed(struct.pack("<BBII", 0, 1, 0, 1) + b"\x05\1\0\xff"), "a flight_id or device_id that is not UTF-8"),
        (_sealed(struct.pack("<BBII", 1, 1, 0, 0) + b"no zstd"), "the frame cannot be decompressed"),
    ],
)
def test_says_why_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FrameError) as caught:
        decode(data)
    assert caught.value.message.startswith(message)


def test_a_body_that_claims_too_much_is_not_decompressed() -> None:
    huge = zstandard.ZstdCompressor().compress(bytes(MAX_BODY_BYTES + 1))
    assert len(huge) < 10_000
    with pytest.raises(FrameError, match="a body that claims 67108865 bytes"):
        decode(_sealed(struct.pack("<BBII", 1, 1, 0, 0) + huge))


def test_a_body_that_does_not_claim_its_size_is_refused() -> None:
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(encode(_batch(LIVE, 1))[18:])
    with pytest.raises(FrameError, match="a body that claims"):
        decode(_sealed(struct.pack("<BBII", 1, 1, 1, 1) + unsized))


def test_bytes_after_the_compressed_body_are_refused() -> None:
    frame = encode(_batch(LIVE, 200, speed=np.arange(200) / 7))
    assert frame[8] == 1
    with pytest.raises(FrameError, match="cannot be decompressed"):
        decode(_sealed(frame[8:] + zstandard.compress(b"more")))


def test_the_documented_example() -> None:
    page = (Path(__file__).parents[3] / "docs" / "frame.md").read_text(encoding="utf-8")
    batch = decode(bytes.fromhex(page.split("```")[1]))
    expected = _batch(
        LIVE,
        3,
        (Flight.of("live", "pilot-0042"),),
        lat=np.array([46.5, 46.5001, 46.5002]),
        lon=np.array([7.25, 7.2501, 7.25025]),
        speed=np.array([np.nan, 9.5, -0.0]),
    )
    assert batch.equals(expected)
