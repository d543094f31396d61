"""What a device records: a flight with the errors of its receiver, as points of its kind."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.ops.bodies import Changes
from pointq.ops.simulate.plan import Pilot
from pointq.ops.soaring import Leg, Task, fly, positions
from pointq.points.batch import Array, PointBatch
from pointq.points.flights import Flight
from pointq.points.kinds import FLYMASTER, SCORING, Kind

_WRONG: tuple[dict[str, object], ...] = ({"lat": 91.5}, {"lat": 0, "lon": 0}, {"lon": -180.5})
"""What is wrong with the points that are so on purpose; each is rejected by every endpoint."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Some points, and which of them are wrong on purpose: 0 for good, else one more than the place in `_WRONG`."""

    batch: PointBatch
    wrong: NDArray[np.uint8]

    def __len__(self) -> int:
        """How many."""
        return len(self.batch)

    def take(self, rows: slice) -> "Recorded":
        """Some of them."""
        return Recorded(self.batch.take(np.arange(len(self))[rows]), self.wrong[rows])

    def changes(self) -> Changes:
        """How the wrong ones differ, by row."""
        return {row: _WRONG[self.wrong[row] - 1] for row in np.flatnonzero(self.wrong).tolist()}


def record(pilot: Pilot, task: Task) -> Iterator[Recorded]:
    """The points of a pilot in order of time, leg by leg, up to the end of the competition; never an empty piece."""
    noise, dice = pilot.rng(4), pilot.rng(5)
    begin, step = pilot.begin(), pilot.step
    flight = Flight.of(pilot.kind.name, pilot.flight_id, pilot.device_id)
    for leg in fly(task, pilot.rng(6), step):
        columns = _columns(pilot, task, leg, begin, noise)
        wrong = np.where(
            dice.random(len(leg.seconds)) < pilot.plan.invalid, dice.integers(1, len(_WRONG) + 1, len(leg.seconds)), 0
        )
        within = columns["time"] <= pilot.plan.start_us + int(pilot.plan.duration * 1e6)
        count = int(np.count_nonzero(within))
        if count:
            batch = PointBatch(pilot.kind, (flight,), np.zeros(len(within), np.int32), columns)
            yield Recorded(batch, wrong.astype(np.uint8)).take(slice(0, count))
        if count < len(within):
            return


def _columns(pilot: Pilot, task: Task, leg: Leg, begin: int, noise: np.random.Generator) -> dict[str, Array]:
    """What the device makes of it: phones have milliseconds and seven decimals, altitudes are good to some metres."""
    count = len(leg.seconds)
    late = 0.0 if pilot.kind is FLYMASTER else noise.uniform(0, min(0.05, pilot.step / 10), count)
    lat, lon = positions(task, leg.east + noise.normal(0, 1.5, count), leg.north + noise.normal(0, 1.5, count))
    gnss = np.round(leg.altitude + noise.normal(0, 2, count), 1)
    pressure = np.round(leg.altitude - 30 + noise.normal(0, 0.4, count), 1)
    speed = np.round(np.abs(leg.speed + noise.normal(0, 0.3, count)), 2)
    heading = np.round((leg.heading + noise.normal(0, 2, count)) % 360, 1) % 360
    time = pilot.plan.start_us + np.rint((begin + leg.seconds + late) * 1_000).astype(np.int64) * 1_000
    base: dict[str, Array] = {"time": time, "lat": np.round(lat, 7), "lon": np.round(lon, 7)}
    return base | _own(pilot.kind, time, {"gnss": gnss, "pressure": pressure, "speed": speed, "heading": heading}, noise)


def _own(kind: Kind, time: Array, values: dict[str, Array], noise: np.random.Generator) -> dict[str, Array]:
    """The columns of that kind."""
    count = len(time)
    if kind is SCORING:
        return {
            "gps_alt": values["gnss"],
            "pressure_alt": values["pressure"],
            "validity": np.full(count, b"A"),
            "speed": values["speed"],
        }
    own = {"elevation": values["gnss"], "speed": values["speed"], "heading": values["heading"]}
    if kind is FLYMASTER:
        return own | {"elevation": np.rint(values["gnss"]), "uploaded_at": time + 5_000_000}
    accuracy = np.round(np.abs(noise.normal(4, 1, count)) + 1, 1)
    valid = (noise.random(count) >= 0.002).astype(np.int8)  # noqa: PLR2004 - two in a thousand are 2D
    return own | {"barometric_altitude": values["pressure"], "accuracy": accuracy, "valid": valid}


class Tape:
    """The points of a pilot, wound forward: no more than one leg is in memory, however far behind the sender is."""

    def __init__(self, pieces: Iterator[Recorded]) -> None:
        self._pieces = pieces
        self._piece: Recorded | None = next(pieces, None)
        self._at = 0
        self.taken = 0
        """Points taken so far; the number of the next one."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""
        return self._piece is None

    def take(self, until_us: int, most: int) -> Recorded | None:
        """The next points up to that time, of one leg, at most so many; None where there are none."""
        if self._piece is None:
            return None
        due = int(np.searchsorted(self._piece.batch.time, until_us, side="right"))
        if due <= self._at:
            return None
        found = self._piece.take(slice(self._at, min(due, self._at + most)))
        self._at += len(found)
        self.taken += len(found)
        if self._at == len(self._piece):
            self._piece, self._at = next(self._pieces, None), 0
        return found
