"""From the points of a file of lines, good and bad ones, to a TrackFile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.formats.flaws import Codes, Flaw
from pointq.formats.sift import Records, sift
from pointq.formats.track import Rejects, TrackFile
from pointq.points.batch import Array


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """All points of a file, in its order; every array of shape (n,)."""

    columns: Mapping[str, Array]
    """Named and typed as in `TrackFile`; anything where a point has a flaw, NaN for what is unknown."""
    flaws: Codes
    """What the reader of the format found wrong."""
    part: NDArray[np.int32]
    """Which track each belongs to."""
    lines: NDArray[np.int64]
    """The line where each begins, from 1."""


def join(pieces: Sequence[Points]) -> Points:
    """The points of all pieces, at least one, of the same columns."""
    return Points(
        {name: np.concatenate([piece.columns[name] for piece in pieces]) for name in pieces[0].columns},
        flaws=np.concatenate([piece.flaws for piece in pieces]),
        part=np.concatenate([piece.part for piece in pieces]),
        lines=np.concatenate([piece.lines for piece in pieces]),
    )


def rejects_of(flaws: Sequence[tuple[int, Flaw]]) -> Rejects:
    """Lines and what is wrong with them."""
    return Rejects(np.array([line for line, _ in flaws], np.int64), np.array([flaw for _, flaw in flaws], np.uint8))


def to_line_track(
    format_name: str, points: Points, devices: Sequence[str | None], unread: Sequence[Rejects], now_us: int
) -> TrackFile:
    """The track file; `devices` holds the device of each track, None where it is unknown, and `now_us` is the present.

    `unread` are further records, of which there are no values at all. A single track of an unknown device is no part.
    """
    sifted = sift(Records(points.flaws, points.columns, points.part, devices), now_us)
    rejected = np.flatnonzero(sifted.flaws)
    rejects = _in_order([Rejects(points.lines[rejected], sifted.flaws[rejected]), *unread])
    fixes = len(sifted.columns["time"])
    return TrackFile(
        format=format_name,
        columns=sifted.columns,
        records=len(points.flaws) + sum(map(len, unread)),
        rejects=rejects,
        duplicates=len(points.flaws) - len(rejected) - fixes,
        parts=() if [part.device_id for part in sifted.parts] == [None] else sifted.parts,
    )


def _in_order(rejects: Sequence[Rejects]) -> Rejects:
    lines = np.concatenate([each.lines for each in rejects])
    flaws = np.concatenate([each.flaws for each in rejects])
    order = np.argsort(lines, kind="stable")
    return Rejects(lines[order], flaws[order])
