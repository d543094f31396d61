"""Points to measure with: the user's real flights where there are some, else tracks made from a seed.

Never coordinates chosen to compress: positions get noise below what the recorder resolved, so that they have all the
digits that phones send; altitudes are whole metres, as recorders write them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson

from pointq.errors import PointqError
from pointq.formats.detect import Hints, parse
from pointq.ops.soaring import Leg, Task, fly, make_task, positions
from pointq.points.batch import Array, PointBatch, concat
from pointq.points.flights import Flight
from pointq.points.kinds import UPLOAD

CHUNK = 1_000
"""Points in one upload: what a phone sends that was out of reach for a quarter of an hour."""

_RESOLUTION = 1 / 60_000
"""Of an IGC file's coordinates, in degrees: the noise stays within it."""
_SYNTHETIC_FLIGHTS = 60
_SHORTEST = 4_000
"""Fixes of a made flight."""
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Track:
    """One flight: columns of shape (n,), in order of time."""

    columns: dict[str, Array]

    def __len__(self) -> int:
        return len(self.columns["time"])


@dataclass(frozen=True, slots=True)
class Tracks:
    """The flights that a benchmark replays."""

    source: str
    """Where they are from, in words."""
    tracks: Sequence[Track]
    seed: int

    def chunks(self, points: int) -> list[PointBatch]:
        """So many points as uploads of `CHUNK` points of one flight each, in the order in which they would arrive.

        All flights send their first chunk, then all their second, and so on; when they are used up they fly again, a day
        later.
        """
        batches: list[PointBatch] = []
        for day in range(1_000_000):
            for batch in self._one_day(day):
                if len(batches) * CHUNK >= points:
                    return batches
                batches.append(batch)
        return batches

    def _one_day(self, day: int) -> Iterator[PointBatch]:
        noise = np.random.default_rng((self.seed, day))
        longest = max(len(track) for track in self.tracks)
        for start in range(0, longest - CHUNK + 1, CHUNK):
            for number, track in enumerate(self.tracks):
                if start + CHUNK <= len(track):
                    yield _chunk(track, slice(start, start + CHUNK), f"bench-{day}-{number}", day, noise)


def _chunk(track: Track, rows: slice, flight_id: str, day: int, noise: np.random.Generator) -> PointBatch:
    columns = {name: values[rows] for name, values in track.columns.items()}
    columns["time"] = columns["time"] + day * _DAY_US
    for name in ("lat", "lon"):
        columns[name] = columns[name] + noise.uniform(-_RESOLUTION / 2, _RESOLUTION / 2, CHUNK)
    flight = Flight.of(UPLOAD.name, flight_id, f"device-{flight_id}")
    return PointBatch(UPLOAD, (flight,), np.zeros(CHUNK, np.int32), columns)


def load(samples: Path | None, seed: int) -> Tracks:
    """The flights in that folder that are long enough to send something, or made ones where it has none."""
    found = [track for path in sorted(samples.rglob("*.igc")) if (track := _read(path))] if samples else []
    if found:
        return Tracks(f"{len(found)} recorded flights of 1,000 fixes and more", found, seed)
    rng = np.random.default_rng(seed)
    return Tracks(f"{_SYNTHETIC_FLIGHTS} made flights, seed {seed}", [_made(rng) for _ in range(_SYNTHETIC_FLIGHTS)], seed)


def _read(path: Path) -> Track | None:
    try:
        track = parse(path.read_bytes(), Hints(time.time_ns() // 1000, path.name))
    except (OSError, PointqError):
        return None
    if len(track) < CHUNK:
        return None
    names = ("time", "lat", "lon", "elevation", "barometric_altitude")
    order = np.argsort(track.columns["time"], kind="stable")
    return Track({name: track.columns[name][order] for name in names if name in track.columns})


def _made(rng: np.random.Generator) -> Track:
    """A long flight at 1 to 5 Hz with jitter, a few fixes missing, and the errors of a receiver."""
    rate, most = int(rng.integers(1, 6)), int(rng.integers(4_000, 20_000))
    task, legs = _long_flight(rng, 1 / rate)
    seconds, east, north, altitude = (
        np.concatenate([getattr(leg, name) for leg in legs])[:most] for name in ("seconds", "east", "north", "altitude")
    )
    count = len(seconds)
    skipped = np.cumsum(rng.random(count) < 0.002) * 5  # noqa: PLR2004 - two drop-outs in a thousand fixes
    jitter = rng.uniform(0, 0.1 / rate, count) if rate > 1 else 0
    lat, lon = positions(task, east + rng.normal(0, 1.5, count), north + rng.normal(0, 1.5, count))
    return Track(
        {
            # to the millisecond, which is what phones send
            "time": 1_750_000_000_000_000 + ((seconds + skipped / rate + jitter) * 1_000).astype(np.int64) * 1_000,
            "lat": lat,
            "lon": lon,
            "elevation": np.rint(altitude + rng.normal(0, 2, count)),
            "barometric_altitude": np.rint(altitude - 40 + rng.normal(0, 0.5, count)),
        }
    )


def _long_flight(rng: np.random.Generator, step: float) -> tuple[Task, list[Leg]]:
    while True:
        task = make_task(rng)
        legs = list(fly(task, rng, step))
        if sum(len(leg.seconds) for leg in legs) >= _SHORTEST:
            return task, legs


def batches(chunks: Sequence[PointBatch], points: int) -> list[PointBatch]:
    """The chunks, as many together as make a batch of so many points."""
    count = max(points // CHUNK, 1)
    return [concat(chunks[start : start + count]) for start in range(0, len(chunks), count)]


def sized(chunks: Sequence[PointBatch], points: int) -> list[PointBatch]:
    """Full batches of so many points, which may be fewer than a chunk has; one that is too short where there are no more."""
    if points >= CHUNK:
        whole = batches(chunks, points)
        return [batch for batch in whole if len(batch) >= points] or whole
    starts = range(0, CHUNK - points + 1, points)
    return [chunk.take(np.arange(start, start + points)) for start in starts for chunk in chunks]


def with_repeats(parts: Sequence[PointBatch], share: float, seed: int) -> list[PointBatch]:
    """Batches in which that share of the points was sent in an earlier one already, spread over all but the first."""
    rng = np.random.default_rng(seed)
    mixed = [parts[0]]
    for before, batch in pairwise(parts):
        count = int(len(batch) * share)
        again = before.only(np.sort(rng.choice(len(before), count, replace=False)))
        mixed.append(concat([batch, again]))
    return mixed


def live_bodies(tracks: Tracks, count: int) -> list[bytes]:
    """So many posts of one point each to ``/tracking/live``, from 150 pilots in turn, in this hour."""
    chunk = concat(tracks.chunks(10 * CHUNK))
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    return [orjson.dumps(_post(chunk, turn, now)) for turn in range(count)]


def _post(batch: PointBatch, turn: int, start: datetime) -> dict[str, object]:
    pilot, second = turn % 150, turn // 150
    row = (pilot * 60 + second) % len(batch)
    return {
        "flight_id": f"bench-task-1-pilot-{pilot:03}",
        "device_id": f"phone-{pilot:03}",
        "track_points": [
            {
                "lat": float(batch.columns["lat"][row]),
                "lon": float(batch.columns["lon"][row]),
                "datetime": (start + timedelta(seconds=second)).isoformat().replace("+00:00", "Z"),
                "elevation": float(np.nan_to_num(batch.column("elevation")[row])),
            }
        ],
    }


def total(parts: Sequence[PointBatch]) -> int:
    """Points in all of them."""
    return sum(map(len, parts))
