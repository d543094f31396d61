"""Damage to files, and what must hold of whatever a parser makes of them."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.batches import to_batch, to_split_batch
from pointq.formats.flaws import Flaw
from pointq.formats.track import TRACK_COLUMNS, TrackFile
from pointq.points.batch import is_null
from pointq.points.frame import decode, encode
from pointq.points.kinds import UPLOAD, ColumnType
from pointq.points.rules import DAY_US, FIRST_TIME, LONGEST_AHEAD_US, POWER_UP_DAY

NOW_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z"""

_TOKENS = (
    b"\0", b"\r", b"\n", b" " * 40, b"-", b"+", b".", b",", b"e", b"nan", b"inf", b"-0", b"1e999", b"9" * 20, b"0" * 20,
    b"\xff", b"\xc3\xa9", b"\xd9\xa1", b"\xef\xbb\xbf", b"B", b"I00\n", b"I013638LAD\n",
    b"HFDTE010100\n", b"HFDTE311299\n", b"EOF\n",
    b"{", b"]", b'"', b"null", b"true", b"\\u0000", b"<", b"&#0;", b"</trk>", b";", b"\t", b"\xa1\xa1\x11", b"\xa3\xa3",
)  # fmt: skip
"""What has broken parsers of text: signs, exponents, digits that are none in ASCII, records at the wrong place."""


def _flip(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    changed = bytearray(data)
    for place in range(at, min(at + length % 4 + 1, len(data))):
        changed[place] ^= 1 << length % 8
    return bytes(changed)


def _cut(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    return data[:at] + data[at + length :]


def _truncate(data: bytes, at: int, _length: int, _other: bytes) -> bytes:
    return data[:at]


def _repeat(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    return data[: at + length] + data[at : at + length] + data[at + length :]


def _splice(data: bytes, at: int, _length: int, other: bytes) -> bytes:
    """Go on with another file from the same share of its length."""
    return data[:at] + other[at * len(other) // max(len(data), 1) :]


def _swap_lines(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        one, two = at % len(lines), (at + length) % len(lines)
        lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def _insert_line(data: bytes, at: int, length: int, other: bytes) -> bytes:
    """Put a line of the other file at the beginning of a line of this one."""
    lines, theirs = data.splitlines(keepends=True), other.splitlines(keepends=True)
    if lines and theirs:
        lines.insert(at % len(lines), theirs[length % len(theirs)])
    return b"".join(lines)


def _insert_token(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    return data[:at] + _TOKENS[length % len(_TOKENS)] + data[at:]


def _overwrite(data: bytes, at: int, length: int, _other: bytes) -> bytes:
    token = _TOKENS[length % len(_TOKENS)]
    return data[:at] + token + data[at + len(token) :]


_DAMAGES: tuple[Callable[[bytes, int, int, bytes], bytes], ...] = (
    *(_flip, _cut, _truncate, _repeat, _splice, _swap_lines, _insert_line, _insert_token, _overwrite),
)

_LONGEST_PIECE = 200


@st.composite
def damaged(draw: st.DrawFn, files: tuple[bytes, ...], others: tuple[bytes, ...]) -> bytes:
    """One of the files, damaged up to eight times, perhaps with pieces of the others."""
    data = draw(st.sampled_from(files))
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), min_size=1, max_size=8)):
        at = draw(st.integers(0, len(data)))
        data = damage(data, at, draw(st.integers(0, _LONGEST_PIECE)), draw(st.sampled_from(others)))
    return data


def check(read: Callable[[], TrackFile]) -> None:
    """Nothing but FormatError is raised, and a track that is returned is a good one."""
    try:
        track = read()
    except FormatError as error:
        message = error.message
    else:
        _check_track(track)
        return
    assert message.isprintable(), message


def _check_track(track: TrackFile) -> None:
    assert track.records == len(track) + len(track.rejects) + track.duplicates
    _check_columns(track)
    _check_times(track.columns["time"])
    _check_account(track)
    _check_batches(track)


def _check_columns(track: TrackFile) -> None:
    by_name = {column.name: column for column in TRACK_COLUMNS}
    assert {"time", "lat", "lon"} <= track.columns.keys() <= by_name.keys()
    for name, values in track.columns.items():
        column = by_name[name]
        assert values.shape == (len(track),)
        assert values.dtype == column.type.value.dtype
        null = is_null(column, values)
        assert not null.any() if column.required else not len(track) or not null.all()
        if column.type is ColumnType.FLOAT:
            known = values[~null]
            assert np.isfinite(known).all()
            assert (known >= -np.inf if column.minimum is None else known >= column.minimum).all()
            assert (known <= np.inf if column.maximum is None else known <= column.maximum).all()
    lat, lon = track.columns["lat"], track.columns["lon"]
    assert not ((lat == 0) & (lon == 0)).any()
    assert not (np.signbit(lat) & (lat == 0)).any(), "a negative zero is another key"
    part = np.searchsorted([first.first for first in track.parts], np.arange(len(track)), side="right")
    keys = set(zip(part.tolist(), track.columns["time"].tolist(), lat.tolist(), lon.tolist(), strict=True))
    assert len(keys) == len(track)


def _check_times(time: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    assert (time >= FIRST_TIME).all()
    assert (time <= NOW_US + LONGEST_AHEAD_US).all()
    assert not ((time >= POWER_UP_DAY) & (time < POWER_UP_DAY + DAY_US)).any()


def _check_account(track: TrackFile) -> None:
    lines = track.rejects.lines
    assert len(lines) == len(track.rejects.flaws)
    assert (lines >= 1).all()
    assert Flaw.NONE not in track.rejects.flaws
    assert sum(track.rejects.counts().values()) == len(track.rejects)
    assert list(track.breaks) == sorted(set(track.breaks))
    assert all(0 < first < len(track) for first in track.breaks)
    for text in (track.logger, track.device, track.serial):
        assert text is None or (text.isprintable() and text.strip())


def _check_batches(track: TrackFile) -> None:
    batch = to_batch(track, UPLOAD)
    assert len(batch) == len(to_split_batch(track, UPLOAD, 600.0)) == len(track) or track.parts
    assert len(batch) <= len(track), "a part that stands in the file twice is taken once"
    if len(batch):
        assert decode(encode(batch)).equals(batch)
