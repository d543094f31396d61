"""From the bytes of Flymaster packets to a TrackFile.

A0A0: hardware and software versions, serial number, competition number, pilot, brand, model. A1A1: a fix. A2A2: further ones,
six bytes each. Numbers are little-endian, positions in 1/60000 degree, longitude west-positive, air pressure in 0.1 hPa.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.flymaster_binary.packets import (
    ABOUT,
    FIX,
    FIXES,
    HEAD,
    STEP_BYTES,
    Packets,
    find_packets,
)
from pointq.formats.igc.headers import decode
from pointq.formats.sift import Records, one_device, sift
from pointq.formats.track import Rejects, TrackFile
from pointq.points.batch import Array

_SECOND_US = 1_000_000
_UNITS = 60_000
"""Parts of a degree."""
_EPOCH_S = 946_684_800
"""2000-01-01T00:00:00Z in Unix seconds."""
_VALID = 0x80

_ABOUT = np.dtype([("versions", "V4"), ("serial", "<u4"), ("pilot", "V23"), ("brand", "V15"), ("model", "V15")])
_FIX = np.dtype([("fix", "u1"), ("lat", "<i4"), ("lon", "<i4"), ("altitude", "<i2"), ("pressure", "<i2"), ("seconds", "<u4")])
_STEP = np.dtype([("fix", "u1"), ("lat", "i1"), ("lon", "i1"), ("altitude", "i1"), ("pressure", "i1"), ("seconds", "u1")])
_SUMMED = ("lat", "lon", "altitude", "pressure", "seconds")
"""Fields of which A2A2 packets give the difference."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The fixes of all packets in order, shape (n,) each."""

    packet: NDArray[np.int64]
    """Which packet, as an index."""
    offset: NDArray[np.int64]
    """The byte of the file where it begins: of the packet for A1A1, of its own six bytes for A2A2."""
    is_step: NDArray[np.bool_]
    """Whether it is relative to the one before."""


def parse_flymaster_binary(data: bytes, *, now_us: int) -> TrackFile:
    """Read packets, skipping and reporting what is damaged, and fixes that are relative to a lost one.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Each A0A0 packet
    begins a part. Raises FormatError where there is no packet at all.
    """
    packets = find_packets(data)
    if not len(packets.starts):
        raise FormatError(
            "not Flymaster packets: expected A0A0, A1A1 or A2A2, a length, data and their XOR, found none",
            hint="check that the file was copied as binary data, not as text",
        )
    rows = _rows(packets)
    buffer = np.frombuffer(data, np.uint8)
    records = _records(buffer, packets, rows)
    sifted = sift(records, now_us)
    rejects = _rejects(packets, rows, sifted.flaws)
    total, fixes = len(rows.packet) + len(packets.skipped), len(sifted.columns["time"])
    return TrackFile(
        format="flymaster-binary",
        columns=sifted.columns,
        records=total,
        rejects=rejects,
        duplicates=total - len(rejects) - fixes,
        parts=sifted.parts,
        device=_model(buffer, packets),
        serial=one_device(sifted.parts),
        complete=packets.complete,
    )


def _rows(packets: Packets) -> _Rows:
    counts = np.select([packets.kinds == FIX, packets.kinds == FIXES], [1, packets.lengths // STEP_BYTES], 0)
    packet = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(packet)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_step = packets.kinds[packet] == FIXES
    offset = packets.starts[packet] + np.where(is_step, HEAD + within * STEP_BYTES, 0)
    return _Rows(packet, offset, is_step)


def _records(buffer: NDArray[np.uint8], packets: Packets, rows: _Rows) -> Records:
    steps = _read(buffer, rows.offset[rows.is_step], _STEP)
    fixes = _read(buffer, rows.offset[~rows.is_step] + HEAD, _FIX)
    values = {name: _summed(rows.is_step, fixes[name], steps[name]) for name in _SUMMED}
    flags = np.empty(len(rows.packet), np.uint8)
    flags[rows.is_step], flags[~rows.is_step] = steps["fix"], fixes["fix"]
    known = _has_base(packets)[rows.packet] | ~rows.is_step
    flaws = np.where(known, np.uint8(Flaw.NONE), np.uint8(Flaw.NO_BASE))
    part = np.cumsum(packets.kinds == ABOUT).astype(np.int32)[rows.packet]
    return Records(flaws, _columns(values, flags), part, [None, *_serials(buffer, packets)])


def _columns(values: dict[str, NDArray[np.int64]], flags: NDArray[np.uint8]) -> dict[str, Array]:
    return {
        "time": (values["seconds"] + _EPOCH_S) * _SECOND_US,
        "lat": values["lat"] / _UNITS,
        "lon": -values["lon"] / _UNITS,
        "elevation": values["altitude"].astype(np.float64),
        "barometric_altitude": pressure_altitude(values["pressure"] / 10),
        "valid": (flags & _VALID != 0).astype(np.int8),
    }


def pressure_altitude(hectopascals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres in the ICAO standard atmosphere, shape (n,), as the instrument itself computes them; NaN without a pressure."""
    pressure = np.where(hectopascals > 0, hectopascals, np.nan)
    return (1 - (pressure / 1013.25) ** 0.190284) * 44_307.69


def _summed(is_step: NDArray[np.bool_], fixes: Array, steps: Array) -> NDArray[np.int64]:
    """Values of one field, shape (n,): those of A1A1, and behind each the running sum of the steps that follow.

    Steps before the first A1A1 have nothing to be added to; what is there for them means nothing.
    """
    added = np.zeros(len(is_step), np.int64)
    added[is_step] = steps
    sums = np.cumsum(added)
    at = np.flatnonzero(~is_step)
    base = np.append(0, fixes.astype(np.int64) - sums[at])
    values: NDArray[np.int64] = sums + base[np.cumsum(~is_step)]
    return values


def _has_base(packets: Packets) -> NDArray[np.bool_]:
    """Which packets follow an A1A1 without damage, an end mark or a new track between them, shape (n,)."""
    place = np.arange(len(packets.starts))
    last_fix = np.maximum.accumulate(np.where(packets.kinds == FIX, place, -1))
    last_break = np.maximum.accumulate(np.where(packets.after_gap | (packets.kinds == ABOUT), place, -1))
    return (last_fix >= 0) & (last_fix >= last_break)


def _rejects(packets: Packets, rows: _Rows, flaws: NDArray[np.uint8]) -> Rejects:
    """Bad fixes and skipped places, in the file's order; both count as packets."""
    bad = np.flatnonzero(flaws)
    offsets = np.concatenate([rows.offset[bad], packets.skipped])
    places = np.concatenate([packets.starts[rows.packet[bad]], packets.skipped])
    order = np.argsort(offsets)
    numbers = np.searchsorted(np.sort(np.concatenate([packets.starts, packets.skipped])), places) + 1
    return Rejects(numbers[order], np.concatenate([flaws[bad], packets.flaws])[order], "packet", offsets[order])


def _serials(buffer: NDArray[np.uint8], packets: Packets) -> list[str]:
    about = _read(buffer, packets.starts[packets.kinds == ABOUT] + HEAD, _ABOUT)
    return [str(serial) for serial in about["serial"].tolist()]


def _model(buffer: NDArray[np.uint8], packets: Packets) -> str | None:
    """Brand and model as the first A0A0 packet gives them."""
    about = _read(buffer, packets.starts[packets.kinds == ABOUT][:1] + HEAD, _ABOUT)
    texts = [decode(field.partition(b"\0")[0]) for name in ("brand", "model") for field in about[name].tolist()]
    return " ".join(filter(None, texts)) or None


def _read(buffer: NDArray[np.uint8], positions: NDArray[np.int64], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Structures at those bytes of a file, shape (n,)."""
    width = dtype.itemsize
    if not len(positions):
        return np.empty(0, dtype)
    return np.lib.stride_tricks.sliding_window_view(buffer, width)[positions].view(dtype)[:, 0]
