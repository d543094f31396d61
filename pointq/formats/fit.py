"""FIT, the binary format of Garmin and of most watches and bike computers, read by the library fitdecode.

Positions are in semicircles, 2^31 of them in 180 degrees, north and east positive; times are seconds since 1989-12-31 UTC;
altitudes are metres, speeds m/s, in a scale that fitdecode undoes. Source: Garmin's FIT SDK, protocol and profile.
"""

import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pointq.errors import FormatError
from pointq.formats.flaws import Flaw
from pointq.formats.sift import Records, device_id, one_device, to_track
from pointq.formats.track import TrackFile

_EPOCH_S = 631_065_600
"""1989-12-31T00:00:00Z in Unix seconds."""
_FIRST_DATE_S = 0x1000_0000
"""Smaller times are seconds since the device was switched on (the SDK's rule)."""
_HALF_TURN = 2**31
"""Semicircles in 180 degrees."""
_LARGEST = 2**32
"""No field read here has more than 32 bits; what has, by a strange definition of the message, is no value."""

_FIELDS = {
    "elevation": ("enhanced_altitude", "altitude"),
    "speed": ("enhanced_speed", "speed"),
    "heading": ("heading",),
    "accuracy": ("gps_accuracy",),
}
"""pointq's columns and the fields of a record message that fill them; the first one that has a value is taken."""


def is_fit(data: bytes) -> bool:
    """Whether the header of a FIT file stands at the beginning."""
    return data[8:12] == b".FIT"


def parse_fit(data: bytes, *, now_us: int) -> TrackFile:
    """Read the record messages that have a position, reporting what is no fix; each of several chained files is a part.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected. Of a cut or
    damaged file the records before the break are kept; the break, or a wrong checksum, is one more reject, and after a break
    the track is not `complete`.

    Raises `FormatError` where the bytes are no FIT, or the library is not installed.
    """
    if not is_fit(data):
        raise FormatError("not a FIT file: expected .FIT in bytes 9-12", hint="check that the file was not renamed")
    reading = _Reading()
    for frame in _frames(data):
        reading.take(frame)
    track = to_track("fit", reading.records(), now_us)
    return replace(track, logger=reading.maker, serial=one_device(track.parts), complete=not reading.broken)


@dataclass(slots=True, eq=False)
class _Break:
    """Stands for the rest of a file that cannot be read."""


def _frames(data: bytes) -> Iterator[Any]:
    """What fitdecode finds, and a `_Break` where it finds no more before the end."""
    try:
        import fitdecode  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise FormatError(
            "a FIT file, which needs the package fitdecode, and that is not installed", hint="pip install 'pointq[fit]'"
        ) from exc
    reader = fitdecode.FitReader(
        io.BytesIO(data),
        processor=None,
        check_crc=fitdecode.CrcCheck.READONLY,
        error_handling=fitdecode.ErrorHandling.IGNORE,
    )
    try:
        yield from reader
    except Exception:  # noqa: BLE001 - on damaged bytes it raises also KeyError, AssertionError, struct.error, …
        yield _Break()


@dataclass(slots=True, eq=False)
class _Reading:
    """The records so far."""

    columns: dict[str, "array[float]"] = field(
        default_factory=lambda: {name: array("d") for name in ("time", "lat", "lon", *_FIELDS)}
    )
    flaws: bytearray = field(default_factory=bytearray)
    part: "array[int]" = field(default_factory=lambda: array("i"))
    devices: list[str | None] = field(default_factory=list)
    """Of each file in the chain."""
    maker: str | None = None
    broken: bool = False

    def take(self, frame: Any) -> None:  # noqa: ANN401 - fitdecode's frames share no type
        """One more frame."""
        match type(frame).__name__:
            case "FitHeader":
                self.devices.append(None)
            case "FitDataMessage" if frame.name == "record":
                self._record(frame)
            case "FitDataMessage" if frame.name == "file_id":
                self._file_id(frame)
            case "FitCRC" if not frame.matched:
                self._reject(Flaw.FIT_CHECKSUM)
            case "_Break":
                self.broken = True
                self._reject(Flaw.FIT_BREAK)

    def records(self) -> Records:
        """All of them."""
        columns: dict[str, Any] = {name: np.array(values, np.float64) for name, values in self.columns.items()}
        # whole seconds below 2**53 are exact
        columns["time"] = (columns["time"] * 1e6).astype(np.int64)
        return Records(np.array(self.flaws, np.uint8), columns, np.array(self.part, np.int32), self.devices or [None])

    def _record(self, message: Any) -> None:  # noqa: ANN401 - untyped
        """A record; one without a position is of a sensor alone."""
        lat, lon = (_number(message, name) for name in ("position_lat", "position_long"))
        if lat is None and lon is None:
            return
        time = _number(message, "timestamp")
        values = {
            "time": 0 if time is None else _EPOCH_S + time,
            "lat": np.nan if lat is None else lat * 180 / _HALF_TURN,
            "lon": np.nan if lon is None else lon * 180 / _HALF_TURN,
        }
        for name, fields in _FIELDS.items():
            found = (number for each in fields if (number := _number(message, each)) is not None)
            values[name] = next(found, np.nan)
        self._append(values, _time_flaw(time))

    def _file_id(self, message: Any) -> None:  # noqa: ANN401 - untyped
        self.devices[-1] = device_id(message.get_value("serial_number", fallback=None))
        self.maker = self.maker or device_id(message.get_value("manufacturer", fallback=None))

    def _reject(self, flaw: Flaw) -> None:
        self._append(dict.fromkeys(self.columns, 0.0), flaw)

    def _append(self, values: dict[str, float], flaw: Flaw) -> None:
        for name, column in self.columns.items():
            column.append(values[name])
        self.flaws.append(flaw)
        self.part.append(max(len(self.devices) - 1, 0))


def _number(message: Any, name: str) -> float | None:  # noqa: ANN401 - untyped
    """A field's value, None where it is missing or, by a strange definition of the message, a text or several values."""
    value = message.get_value(name, fallback=None)
    return float(value) if isinstance(value, int | float) and abs(value) < _LARGEST else None


def _time_flaw(seconds: float | None) -> Flaw:
    if seconds is None:
        return Flaw.NO_TIME
    return Flaw.FIT_UPTIME if seconds < _FIRST_DATE_S else Flaw.NONE
