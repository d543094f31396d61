"""What is simulated: who flies, when, with which device."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from zlib import crc32

import numpy as np

from pointq.ops.soaring import Floats, Task, make_task
from pointq.points.kinds import FLYMASTER, LIVE, SCORING, UPLOAD, Kind

MIX = (LIVE, UPLOAD, LIVE, FLYMASTER, LIVE, SCORING, LIVE, UPLOAD, LIVE, LIVE)
"""Of ten pilots six are tracked live, two by what their phones upload now and then, one by an instrument, one is scored."""

EVERY_SECONDS = {UPLOAD: 120.0, SCORING: 60.0, FLYMASTER: 30.0}
"""How often a device sends that does not send each fix at once."""
MOST_POINTS = 1_000
"""Points in one request: a quarter of an hour out of reach."""

_START_WINDOW = 0.15
"""The share of the duration within which all pilots switch on."""
_LONGEST_WINDOW_S = 1_800.0
_ONLINE_S, _OFFLINE_S = 900.0, 60.0
"""Means of how long a phone has a network, and has none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation. The same plan gives the same points."""

    url: str
    start: dt.datetime
    """The time of the competition's first second, a whole one."""
    name: str
    """What every flight id begins with."""
    pilots: int = 50
    duration: float = 600.0
    """Seconds of the competition."""
    interval: float = 1.0
    """Seconds between two fixes."""
    speed: float = 1.0
    """Seconds of the competition in one of the clock."""
    kinds: Sequence[Kind] = MIX
    seed: int = 1
    duplicates: float = 0.02
    """The share of requests that a device sends once more, as if the answer had been lost."""
    invalid: float = 0.0
    """The share of points that are wrong on purpose."""
    offline: bool = True
    """Whether devices lose their network now and then."""
    secret: str | None = field(default=None, repr=False)
    """What Flymaster uploads are signed with."""
    token: str | None = field(default=None, repr=False)
    """What is sent as a bearer token."""

    @property
    def start_us(self) -> int:
        """The start in microseconds since 1970."""
        return int(self.start.timestamp()) * 1_000_000

    def task(self) -> Task:
        """What all fly."""
        return make_task(np.random.default_rng((self.seed, 0)))

    def crew(self) -> list["Pilot"]:
        """All pilots."""
        return [Pilot(self, number, kind) for number, kind in enumerate(islice(cycle(self.kinds), self.pilots), 1)]


@dataclass(frozen=True, slots=True)
class Pilot:
    """One pilot, and the device that sends."""

    plan: Plan
    number: int
    kind: Kind

    @property
    def device_id(self) -> str:
        """A serial number where it is an instrument, another one in each simulation: its flights go by serial and day."""
        if self.kind is FLYMASTER:
            return f"9{crc32(self.plan.name.encode()):010}{self.number:06}"
        return f"sim-phone-{self.number:04}"

    @property
    def flight_id(self) -> str:
        """What the device calls the flight."""
        return f"{self.plan.name}-pilot-{self.number:04}"

    @property
    def step(self) -> float:
        """Seconds between two fixes; an instrument counts whole ones."""
        return float(max(round(self.plan.interval), 1)) if self.kind is FLYMASTER else self.plan.interval

    @property
    def every(self) -> float:
        """Seconds between two requests."""
        return max(EVERY_SECONDS.get(self.kind, self.step), self.step)

    def rng(self, purpose: int) -> np.random.Generator:
        """The dice for one purpose: what one decides does not depend on how often another is thrown."""
        return np.random.default_rng((self.plan.seed, self.number, purpose))

    def begin(self) -> int:
        """The second at which the device is switched on."""
        window = min(self.plan.duration * _START_WINDOW, _LONGEST_WINDOW_S)
        return int(self.rng(1).uniform(0, window))

    def phase(self) -> float:
        """The second of its first request."""
        return float(self.begin() + self.rng(2).uniform(0, self.every))

    def outages(self) -> Floats:
        """When it has no network: seconds from and to, shape (n, 2), in order; few an hour."""
        if not self.plan.offline:
            return np.empty((0, 2))
        rng, spans, second = self.rng(3), [], 0.0
        while second < self.plan.duration:
            begin = second + rng.exponential(_ONLINE_S)
            second = begin + 10 + rng.exponential(_OFFLINE_S)
            spans.append((begin, min(second, self.plan.duration)))
        found = np.array(spans)
        return found[found[:, 0] < self.plan.duration]
