"""The run of a simulation, from the first pilot to the account at its end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from pointq.config.origin import mask_passwords
from pointq.errors import BackendError
from pointq.ops.simulate.device import Clock, Device
from pointq.ops.simulate.plan import Plan
from pointq.ops.simulate.post import Post
from pointq.ops.simulate.totals import Totals

REACH_SECONDS = 0.8
"""Within which the server must answer before anything begins."""
PATIENCE_SECONDS = 30.0
"""How long devices go on when the competition is over and nothing more is settled."""

_LAST_ANSWERS_SECONDS = 3.0
"""How long answers that are on their way are waited for, once it is to stop."""
_TICK_SECONDS = 0.5
_MOST_CONNECTIONS = 512
"""Phones have one connection each; more than this would need another limit of open files, on both ends."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far it is."""

    totals: Totals
    second: float
    """Of the competition."""
    wall_seconds: float


@dataclass(slots=True)
class Simulation:
    """A simulation; `stop` may be set at any time."""

    plan: Plan
    tell: Callable[[Snapshot], None]
    """Called twice a second."""
    patience: float = PATIENCE_SECONDS
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    totals: Totals = field(default_factory=Totals)
    devices: list[Device] = field(default_factory=list)
    wall_seconds: float = 0.0
    unsent: int = 0
    """Points that were recorded and never settled."""

    async def run(self) -> None:
        """Fly, and leave the account in `totals`. Raises BackendError where no server answers."""
        connector = aiohttp.TCPConnector(limit=min(self.plan.pilots, _MOST_CONNECTIONS))
        async with aiohttp.ClientSession(connector=connector) as session:
            await reach(session, self.plan.url)
            post = Post(session, self.plan.url, _headers(self.plan), self.totals)
            task = self.plan.task()
            self.devices = [Device(pilot, task, post, self.totals) for pilot in self.plan.crew()]
            clock = Clock(time.monotonic(), self.plan.speed)
            await self._fly(clock, post)
        self.wall_seconds = time.monotonic() - clock.started
        until = min(clock.second(), self.plan.duration)
        self.unsent = self.totals.given_up + sum(device.unsent(until) for device in self.devices)

    async def _fly(self, clock: Clock, post: Post) -> None:
        flights = {asyncio.create_task(device.run(clock, self.stop)) for device in self.devices}
        settled, moved = 0, clock.started
        try:
            while flights and not self.stop.is_set():
                flights = await self._some_time(flights, clock)
                if self.totals.sent > settled or clock.when(self.plan.duration) > 0:
                    settled, moved = self.totals.sent, clock.now()
                elif clock.now() - moved > self.patience:
                    break
            self.stop.set()
            post.given_up.set()
            if flights:
                _raise_first((await asyncio.wait(flights, timeout=_LAST_ANSWERS_SECONDS))[0])
        finally:
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)

    async def _some_time(self, flights: "set[asyncio.Task[None]]", clock: Clock) -> "set[asyncio.Task[None]]":
        """Wait for a moment; those that still fly."""
        done, flying = await asyncio.wait(flights, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
        _raise_first(done)
        self.tell(Snapshot(self.totals, min(clock.second(), self.plan.duration), time.monotonic() - clock.started))
        return flying


async def reach(session: aiohttp.ClientSession, url: str) -> None:
    """Ask the server for any answer at all. Raises BackendError."""
    where = mask_passwords(url)
    try:
        async with asyncio.timeout(REACH_SECONDS), session.get(f"{url.rstrip('/')}/livez"):
            return
    except TimeoutError as exc:
        raise BackendError(
            f"the server at {where} says nothing for {REACH_SECONDS:g} s", hint="check that it is not stopped"
        ) from exc
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        raise BackendError(
            # of a URL that it cannot read the client says which one
            f"the server at {where} cannot be reached: {mask_passwords(str(exc))}",
            hint="start it with `pointq serve`, or name another with --url",
        ) from exc


def kinds_of(plan: Plan) -> Mapping[str, int]:
    """How many pilots there are of each kind."""
    return Counter(pilot.kind.name for pilot in plan.crew())


def _headers(plan: Plan) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {plan.token}"} if plan.token else {}


def _raise_first(done: "set[asyncio.Task[None]]") -> None:
    for flight in done:
        flight.result()
