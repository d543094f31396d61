"""The text that Flymaster instruments upload.

::

    <serial>,<hex SHA-256 of serial and secret>
    <uploaded_at>,<fix_time>,<lat>,<lon>,<altitude m>,<speed km/h>,<heading deg>
    …
    EOF

Times are whole Unix seconds; spaces after commas, CRLF and a missing line end after EOF occur. Source: what the instruments
of the Flymaster LIVE series send.
"""

import hashlib
import hmac
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FormatError
from pointq.formats.flaws import Codes, Flaw, first_flaw, first_of_each_key, position_flaws, time_flaws
from pointq.formats.track import Rejects, TrackFile, present
from pointq.points.batch import Array

_SECOND_US = 1_000_000
_KMH_PER_MPS = 3.6
_FIELDS = 7
_END = b"EOF"
_BLANKS = b" \t\r\n"
_BLOCK_ROWS = 2**14
MOST_ROWS = 2**23
"""Rows of one upload: a hundred days of one fix a second."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

HEADER = re.compile(rb"[ \t]*(\d{1,20})[ \t]*,[ \t]*([0-9A-Fa-f]{64})[ \t]*")
"""The first line."""
# eleven digits reach the year 5138: milliseconds and garbage are refused before they overflow a timestamp
_INTEGER = rb"[ \t]*\d{1,11}[ \t]*"
_NUMBER = rb"[ \t]*[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?[ \t]*"
ROW = re.compile(b",".join([_INTEGER] * 2 + [_NUMBER] * 5))
"""A fix."""
_IS_INTEGER = re.compile(_INTEGER)


@dataclass(frozen=True, slots=True, eq=False)
class FlymasterUpload:
    """One upload: who sent it, the proof that it may, and its fixes."""

    serial: str
    digest: str = field(repr=False)
    """What `verify_key` checks: hexadecimal, as sent. It opens the door as often as it is shown, hence not in the repr."""
    track: TrackFile


def parse_flymaster_upload(data: bytes, *, now_us: int) -> FlymasterUpload:
    """Read an upload, skipping and reporting rows that are no fix.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. An upload that
    was cut before its EOF gives the rows that arrived whole, and a track that is not `complete`; so does one that goes on
    behind its EOF, with one reject for all that stands there.

    Raises `FormatError` where the first line is not a serial number and a key, or rows are more than any instrument sends.
    """
    serial, digest = sender_of(data)
    body = _body(data)
    flaws = body.flaws.copy()
    whole = flaws == Flaw.NONE
    flaws[whole] = _value_flaws(body.table, now_us)
    columns = _columns(body.table[:, flaws[whole] == Flaw.NONE])
    first = first_of_each_key(columns["time"], columns["lat"], columns["lon"])
    rejected = np.flatnonzero(flaws)
    track = TrackFile(
        format="flymaster",
        columns=present({name: values[first] for name, values in columns.items()}),
        records=len(flaws),
        rejects=Rejects(body.numbers[rejected], flaws[rejected]),
        duplicates=len(first) - int(first.sum()),
        serial=serial,
        complete=body.complete,
    )
    return FlymasterUpload(serial, digest, track)


def sender_of(data: bytes) -> tuple[str, str]:
    """The serial number and the key in the first line: who sent the upload is known before any row is read.

    Raises `FormatError` where that line is none.
    """
    header = HEADER.fullmatch(_first_line(data))
    if header is None:
        raise FormatError(
            "not a Flymaster upload: expected a first line <serial>,<64 hexadecimal digits>",
            hint="send the text exactly as the instrument does, from its first line on",
        )
    return header[1].decode("ascii"), header[2].decode("ascii")


def is_flymaster_upload(data: bytes) -> bool:
    """Whether the first line is a serial number and a key."""
    return HEADER.fullmatch(_first_line(data)) is not None


def verify_key(serial: str, digest: str, secret: str) -> bool:
    """Whether the key in an upload is the one for that instrument, compared in constant time.

    The key is the SHA-256, in hexadecimal, of the serial number without leading zeros followed by the secret.
    """
    if not re.fullmatch(r"\d{1,20}", serial, re.ASCII):
        return False
    expected = hashlib.sha256(f"{int(serial)}{secret}".encode()).hexdigest()
    return hmac.compare_digest(expected.encode(), digest.lower().encode())


def _first_line(data: bytes) -> bytes:
    return data.removeprefix(_BYTE_ORDER_MARK)[:512].partition(b"\n")[0].removesuffix(b"\r")


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """The rows between the first line and EOF, arrays of shape (rows,)."""

    numbers: NDArray[np.int64]
    """Their lines, from 1."""
    flaws: Codes
    """What is wrong with their form."""
    table: NDArray[np.float64]
    """The fields of those with none, shape (7, whole rows)."""
    complete: bool
    """Whether an EOF ends them, and everything else."""


def _body(data: bytes) -> _Body:
    """Read the rows some ten thousand at a time: the text of all of them takes several times the memory of the file.

    Without an EOF the piece behind the last line end is not whole, even where it looks so: a digit may be missing.
    """
    file = io.BytesIO(data)
    rows = _rows(file)
    numbers, flaws, tables = [np.empty(0, np.int64)], [np.empty(0, np.uint8)], [np.empty((_FIELDS, 0))]
    ended = False
    for block in iter(lambda: list(islice(rows, _BLOCK_ROWS)), []):
        ended = block[-1][1] == _END
        texts = [row for _, row in block[: len(block) - ended]]
        found = np.array([_flaw(row) for row in texts], np.uint8)
        numbers.append(np.array([number for number, _ in block[: len(texts)]], np.int64))
        flaws.append(found)
        tables.append(_numbers([texts[i] for i in np.flatnonzero(found == Flaw.NONE).tolist()]))
    behind = _line_behind(data, file.tell())
    numbers.append(np.array(behind, np.int64))
    flaws.append(np.full(len(behind), Flaw.BEHIND_END, np.uint8))
    complete = ended and not behind
    return _Body(np.concatenate(numbers), np.concatenate(flaws), np.concatenate(tables, axis=1), complete)


def _line_behind(data: bytes, end: int) -> list[int]:
    """The number of the first line behind that place that is not blank, if there is one."""
    rest = data[end:].lstrip(_BLANKS)
    return [data.count(b"\n", 0, len(data) - len(rest)) + 1] if rest else []


def _rows(file: io.BytesIO) -> Iterator[tuple[int, bytes]]:
    """The number and text of each row that is whole and not blank, EOF included. Raises FormatError where they are too many."""
    count = 0
    for number, line in enumerate(file, 1):
        row = line.strip(_BLANKS)
        if number == 1 or not row or not (line.endswith(b"\n") or row == _END):
            continue
        count += 1
        if count > MOST_ROWS:
            raise FormatError(f"more than {MOST_ROWS:,} rows: no instrument uploads so many at once")
        yield number, row
        if row == _END:
            break


def _flaw(row: bytes) -> Flaw:
    if ROW.fullmatch(row):
        return Flaw.NONE
    fields = row.split(b",", _FIELDS)
    if len(fields) != _FIELDS:
        return Flaw.FIELD_COUNT
    if not _IS_INTEGER.fullmatch(fields[0]):
        return Flaw.UPLOAD_TIME
    return Flaw.NUMBER if _IS_INTEGER.fullmatch(fields[1]) else Flaw.FIX_TIME


def _numbers(rows: list[bytes]) -> NDArray[np.float64]:
    """The fields of whole rows, shape (7, n); float64 holds the times exactly."""
    if not rows:
        return np.empty((_FIELDS, 0))
    return np.ascontiguousarray(np.fromstring(b",".join(rows).decode("ascii"), sep=",").reshape(-1, _FIELDS).T)


def _value_flaws(table: NDArray[np.float64], now_us: int) -> Codes:
    """What is wrong with the values of whole rows, shape (n,)."""
    _, time, lat, lon, *_ = table
    return first_flaw(position_flaws(lat, lon), time_flaws(time.astype(np.int64) * _SECOND_US, now_us))


def _columns(table: NDArray[np.float64]) -> dict[str, Array]:
    uploaded_at, time, lat, lon, altitude, speed, heading = table
    return {
        "time": time.astype(np.int64) * _SECOND_US,
        "lat": lat + 0.0,  # no negative zero
        "lon": lon + 0.0,
        "elevation": np.where(_signal_lost(lat, lon, altitude), np.nan, altitude),
        "speed": speed / _KMH_PER_MPS,
        "heading": heading,
        "uploaded_at": uploaded_at.astype(np.int64) * _SECOND_US,
    }


def _signal_lost(lat: NDArray[np.float64], lon: NDArray[np.float64], altitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which fixes at the end repeat a position with altitude 0, shape (n,): the instrument had lost the satellites."""
    lost = np.zeros(len(lat), np.bool_)
    frozen = _trailing((lat == lat[-1:]) & (lon == lon[-1:]))
    if frozen > 1:
        lost[len(lost) - min(frozen, _trailing(altitude == 0)) :] = True
    return lost


def _trailing(mask: NDArray[np.bool_]) -> int:
    """How many values at the end are true."""
    false = np.flatnonzero(~mask)
    return len(mask) - 1 - int(false[-1]) if len(false) else len(mask)
