import numpy as np
import pytest

from pointq.ops.soaring import Leg, Task, fly, make_task, positions, sink

WIND_AND_AIR = 4 + 13.5
"""The fastest over ground that wind and glider are together, m/s."""


def flown(seed: int, step: float = 1.0) -> tuple[Task, Leg]:
    rng = np.random.default_rng(seed)
    task = make_task(rng)
    legs = list(fly(task, rng, step))
    names = ("seconds", "east", "north", "altitude", "speed", "heading")
    return task, Leg(*(np.concatenate([getattr(leg, name) for leg in legs]) for name in names))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step", [0.2, 1.0, 5.0])
def test_a_flight_is_one_that_a_glider_can_fly(seed: int, step: float) -> None:
    task, flight = flown(seed, step)

    np.testing.assert_allclose(np.diff(flight.seconds), step)
    moved = np.hypot(np.diff(flight.east), np.diff(flight.north))
    assert moved.max() <= WIND_AND_AIR * step + 1e-6
    vario = np.diff(flight.altitude) / step
    assert -6 < vario.min() < -0.5 < 0.5 < vario.max() < 6
    assert flight.altitude.max() <= task.base + 100
    assert flight.altitude.min() >= task.ground - 50
    assert abs(flight.altitude[-1] - task.ground) < 50
    assert flight.speed[-1] == 0
    assert ((flight.heading >= 0) & (flight.heading < 360)).all()


def test_the_same_seed_flies_the_same_and_another_does_not() -> None:
    (_, one), (_, again), (_, other) = flown(3), flown(3), flown(4)

    np.testing.assert_array_equal(one.east, again.east)
    assert len(other.east) != len(one.east) or (other.east != one.east).any()


def test_a_third_of_a_flight_is_circles() -> None:
    _, flight = flown(1)
    turning = np.abs((np.diff(flight.heading) + 180) % 360 - 180) > 10

    assert 0.2 < turning.mean() < 0.9


def test_the_polar_has_the_glider_s_points() -> None:
    assert [round(sink(airspeed), 2) for airspeed in (9, 10.5, 14.5)] == [1.05, 1.15, 2.14]


def test_a_degree_of_latitude_is_111_km() -> None:
    task, _ = flown(1)
    lat, lon = positions(task, np.array([0.0, 0.0]), np.array([0.0, 111_320.0]))

    assert lat.tolist() == [task.lat, task.lat + 1]
    assert lon.tolist() == [task.lon, task.lon]
