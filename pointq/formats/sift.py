"""From records, good and bad ones, of one track or of many, to a TrackFile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw, first_flaw, first_of_each_key, position_flaws, time_flaws
from pointq.formats.track import Part, Rejects, TrackFile, present
from pointq.points.batch import Array

_LONGEST_ID = 200
"""Characters of a device id that are kept: more than any device has."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What stands in a file, fixes or not, in its order; all arrays have the shape (n,).

    Of a record that has a flaw, the columns may hold anything. `time` is in microseconds since 1970, `lat` and `lon` in
    degrees, NaN where there is no number.
    """

    flaws: Codes
    """What the parser found wrong with them: all that the values themselves do not say."""
    columns: Mapping[str, Array]
    part: NDArray[np.int32]
    """Which track they belong to, as an index of `devices`."""
    devices: Sequence[str | None]
    """The device of each track, where the file names it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """The fixes that stay, and what is wrong with the rest."""

    columns: dict[str, Array]
    flaws: Codes
    """Of all records; what is in neither is a duplicate."""
    parts: tuple[Part, ...]


def sift(records: Records, now_us: int) -> Sifted:
    """Separate the fixes from what is none, and bring those of each track together.

    `now_us` is the present in microseconds since 1970 UTC: fixes more than a day ahead of it are rejected.
    """
    columns = records.columns
    flaws = _all_flaws(records, now_us)
    rows = np.flatnonzero(flaws == Flaw.NONE)
    rows = rows[np.argsort(records.part[rows], kind="stable")]
    part = records.part[rows]
    first = first_of_each_key(columns["time"][rows], columns["lat"][rows], columns["lon"][rows], part)
    rows, part = rows[first], part[first]
    kept = present({name: values[rows] for name, values in columns.items()})
    return Sifted(kept, flaws, _parts(part, records.devices))


def to_track(format_name: str, records: Records, now_us: int) -> TrackFile:
    """The track file of a format without lines, its records numbered from 1; see `sift`."""
    sifted = sift(records, now_us)
    rejected = np.flatnonzero(sifted.flaws)
    fixes = len(sifted.columns["time"])
    return TrackFile(
        format=format_name,
        columns=sifted.columns,
        records=len(records.flaws),
        rejects=Rejects(rejected + 1, sifted.flaws[rejected], "record"),
        duplicates=len(records.flaws) - len(rejected) - fixes,
        parts=sifted.parts,
    )


def one_device(parts: Sequence[Part]) -> str | None:
    """The device of all parts, where it is the same."""
    devices = {part.device_id for part in parts}
    return devices.pop() if len(devices) == 1 else None


def device_id(value: object) -> str | None:
    """What a file gives as the name of a device, as a text that can be stored; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = "".join(character if character.isprintable() else " " for character in str(value)[:_LONGEST_ID])
    return text.strip() or None


def _all_flaws(records: Records, now_us: int) -> Codes:
    """What the parser found comes first, then the position, then the time."""
    columns = records.columns
    return first_flaw(records.flaws, position_flaws(columns["lat"], columns["lon"]), time_flaws(columns["time"], now_us))


def _parts(part: NDArray[np.int32], devices: Sequence[str | None]) -> tuple[Part, ...]:
    """The tracks that have a fix; `part` is that of each fix, ascending."""
    indices, first = np.unique(part, return_index=True)
    return tuple(Part(start, devices[index]) for index, start in zip(indices.tolist(), first.tolist(), strict=True))
