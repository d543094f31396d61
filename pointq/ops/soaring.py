"""Made flights of paragliders: circles in thermals, glides along the polar, drift with the wind, turnpoints, a landing.

A flight comes leg by leg, so that nobody holds a whole one, and is the same for the same seed. The polar is that of a
cross-country glider: 1.05 m/s of sink at 9 m/s, 1.15 at 10.5, 2.1 at 14.5.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GRAVITY = 9.81
_METRES_A_DEGREE = 111_320.0
_CYLINDER_M = 400.0
"""Radius of a turnpoint."""
_LONGEST_CLIMB_S = 1_200.0
_LOW_M = 300.0
"""Height over the ground at which a pilot takes any lift that there is, or lands."""
_PIECE_S = 300.0
"""The longest part of a leg that is made at once."""


@dataclass(frozen=True, slots=True)
class Task:
    """What all pilots of a day fly: metres, m/s; positions are east and north of the launch."""

    lat: float
    lon: float
    """Of the launch, degrees."""
    launch: float
    ground: float
    """Altitudes of the launch and of the valleys."""
    base: float
    """Altitude of the clouds."""
    wind: tuple[float, float]
    """Towards east and north."""
    turnpoints: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """Some seconds of a flight, arrays of shape (n,): what really happened, no receiver's error."""

    seconds: Floats
    """Since the flight began."""
    east: Floats
    north: Floats
    """Metres from the launch."""
    altitude: Floats
    speed: Floats
    """Over ground."""
    heading: Floats
    """Course over ground, degrees."""


@dataclass(frozen=True, slots=True)
class _State:
    seconds: float
    east: float
    north: float
    altitude: float
    course: float
    """Of the air's motion, radians clockwise from north."""


def make_task(rng: np.random.Generator) -> Task:
    """A day in the Alps."""
    towards, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 4)
    east, north, turnpoints = 0.0, 0.0, []
    for _ in range(int(rng.integers(3, 6))):
        bearing, distance = rng.uniform(0, 2 * math.pi), rng.uniform(8_000, 20_000)
        east, north = east + distance * math.sin(bearing), north + distance * math.cos(bearing)
        turnpoints.append((east, north))
    return Task(
        lat=rng.uniform(44, 48),
        lon=rng.uniform(5, 14),
        launch=rng.uniform(1_300, 1_900),
        ground=rng.uniform(400, 800),
        base=rng.uniform(2_400, 3_400),
        wind=(strength * math.sin(towards), strength * math.cos(towards)),
        turnpoints=tuple(turnpoints),
    )


def positions(task: Task, east: Floats, north: Floats) -> tuple[Floats, Floats]:
    """Latitudes and longitudes in degrees."""
    return task.lat + north / _METRES_A_DEGREE, task.lon + east / (_METRES_A_DEGREE * math.cos(math.radians(task.lat)))


def sink(airspeed: float) -> float:
    """The polar: m/s down at that airspeed in m/s."""
    return 0.0325 * airspeed**2 - 0.565 * airspeed + 3.5


def fly(task: Task, rng: np.random.Generator, step: float) -> Iterator[Leg]:
    """A flight from the minutes before take-off to the minutes after the landing, with a fix each `step` seconds."""
    state = _State(0.0, float(rng.normal(0, 15)), float(rng.normal(0, 15)), task.launch, 0.0)
    for part in (_wait, _soar, _come_down, _rest):
        for leg in part(task, state, rng, step):
            state = _end(leg)
            yield leg


def _wait(task: Task, state: _State, rng: np.random.Generator, step: float) -> Iterator[Leg]:  # noqa: ARG001 - as the others
    return _stand(state, rng.uniform(30, 120), step)


def _rest(task: Task, state: _State, rng: np.random.Generator, step: float) -> Iterator[Leg]:  # noqa: ARG001 - as the others
    return _stand(state, rng.uniform(60, 300), step)


def _soar(task: Task, state: _State, rng: np.random.Generator, step: float) -> Iterator[Leg]:
    """From the launch to the last turnpoint, or as far as it goes."""
    left = list(task.turnpoints)
    while left:
        for leg in _climb(task, state, rng, step):
            state = _end(leg)
            yield leg
        for leg in _glide(task, state, left[0], rng, step):
            state = _end(leg)
            yield leg
        if _distance(state, left[0]) <= _CYLINDER_M:
            left.pop(0)
        if state.altitude < task.ground + _LOW_M and rng.random() < 0.3:  # noqa: PLR2004 - a third of the low ones land out
            return


def _climb(task: Task, state: _State, rng: np.random.Generator, step: float) -> Iterator[Leg]:
    """Circles in a thermal, up to the clouds or until it is too weak."""
    airspeed, bank = rng.uniform(9.5, 11), math.radians(rng.uniform(25, 40))
    lift = max(rng.normal(3.2, 0.8), 1.6) - sink(airspeed) / math.cos(bank) ** 1.5
    top = rng.uniform(0.75, 1.0) * (task.base - task.ground) + task.ground
    seconds = min(max(top - state.altitude, 0) / max(lift, 0.2), _LONGEST_CLIMB_S)
    return _circle(task, state, (airspeed, bank, max(lift, 0.2)), seconds, step, rng)


def _come_down(task: Task, state: _State, rng: np.random.Generator, step: float) -> Iterator[Leg]:
    """Wide turns down to the ground."""
    down = rng.uniform(1.5, 3)
    seconds = max(state.altitude - task.ground, 0) / down
    return _circle(task, state, (10.0, math.radians(20), -down), seconds, step, rng)


def _circle(
    task: Task, state: _State, how: tuple[float, float, float], seconds: float, step: float, rng: np.random.Generator
) -> Iterator[Leg]:
    """Turns at that airspeed and bank, with that vertical speed: radius v² / (g tan bank). The wind carries them along."""
    airspeed, bank, vertical = how
    turn = _GRAVITY * math.tan(bank) / airspeed * float(rng.choice((-1, 1)))
    wave, phase = rng.uniform(20, 60), rng.uniform(0, 2 * math.pi)
    radius = airspeed / turn
    for after in _ticks(seconds, step):
        course = state.course + turn * after
        east = state.east + radius * (math.cos(state.course) - np.cos(course)) + task.wind[0] * after
        north = state.north + radius * (np.sin(course) - math.sin(state.course)) + task.wind[1] * after
        # lift is not even: slow waves around the mean
        altitude = state.altitude + vertical * after + 3 * (np.sin(2 * np.pi * after / wave + phase) - math.sin(phase))
        velocity = airspeed * np.sin(course) + task.wind[0], airspeed * np.cos(course) + task.wind[1]
        yield _leg(state.seconds + after, east, north, altitude, velocity)


def _glide(task: Task, state: _State, target: tuple[float, float], rng: np.random.Generator, step: float) -> Iterator[Leg]:
    """Straight towards the target, into the wind by as much as it drifts, until there, low, or at the next thermal."""
    airspeed = rng.uniform(10, 13.5)
    track = math.atan2(target[0] - state.east, target[1] - state.north)
    along = task.wind[0] * math.sin(track) + task.wind[1] * math.cos(track)
    across = task.wind[0] * math.cos(track) - task.wind[1] * math.sin(track)
    speed = max(math.sqrt(airspeed**2 - across**2) + along, 2.0)
    down = sink(airspeed) + rng.uniform(-0.4, 0.8)
    distance = min(_distance(state, target) - _CYLINDER_M / 2, 500 + rng.exponential(5_000))
    seconds = min(distance / speed, max(state.altitude - task.ground - _LOW_M / 2, 0) / down)
    wave, phase = rng.uniform(15, 90), rng.uniform(0, 2 * math.pi)
    for after in _ticks(seconds, step):
        altitude = state.altitude - down * after + 6 * (np.sin(2 * np.pi * after / wave + phase) - math.sin(phase))
        velocity = np.full(len(after), speed * math.sin(track)), np.full(len(after), speed * math.cos(track))
        yield _leg(
            state.seconds + after, state.east + velocity[0] * after, state.north + velocity[1] * after, altitude, velocity
        )


def _stand(state: _State, seconds: float, step: float) -> Iterator[Leg]:
    for after in _ticks(seconds, step):
        still = np.zeros(len(after))
        yield _leg(state.seconds + after, still + state.east, still + state.north, still + state.altitude, (still, still))


def _ticks(seconds: float, step: float) -> Iterator[Floats]:
    """The times of the fixes of a leg, in seconds since it began, piece by piece; at least one."""
    count, size = max(round(seconds / step), 1), max(int(_PIECE_S / step), 1)
    for first in range(0, count, size):
        yield np.arange(first + 1, min(first + size, count) + 1, dtype=np.float64) * step


def _leg(seconds: Floats, east: Floats, north: Floats, altitude: Floats, velocity: tuple[Floats, Floats]) -> Leg:
    heading = np.degrees(np.arctan2(*velocity)) % 360
    return Leg(seconds, east, north, altitude, np.hypot(*velocity), heading)


def _end(leg: Leg) -> _State:
    """Where the next leg begins."""
    course = math.radians(float(leg.heading[-1]))
    return _State(float(leg.seconds[-1]), float(leg.east[-1]), float(leg.north[-1]), float(leg.altitude[-1]), course)


def _distance(state: _State, target: tuple[float, float]) -> float:
    return math.hypot(target[0] - state.east, target[1] - state.north)
