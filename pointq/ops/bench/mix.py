"""What happens to an installation: faults in an order that chance makes, each once before any comes again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from psycopg import sql

from pointq import aio
from pointq.ops.bench.broken import Broken
from pointq.ops.bench.clients import Clients
from pointq.ops.bench.door import Door, Trap
from pointq.ops.bench.rounds import Tell
from pointq.points.kinds import LIVE, UPLOAD
from pointq.store.sessions import Session, end

_LONGEST_SECONDS = 2.0
_PAUSE_SECONDS = 0.5
_SLOWEST_SECONDS = 0.3
_WITHIN_COPY = 8_000
"""Bytes of a COPY behind which its line may be cut."""

Mend = Callable[[], Awaitable[bool]]
"""Ends a fault, and says whether it had happened."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happened."""

    at_seconds: float
    """After the beginning."""
    what: str
    seconds: float
    """How long it lasted."""


class Mix:
    """Makes the faults; the same seed makes the same ones in the same order."""

    def __init__(self, place: Broken, clients: Clients, chance: random.Random) -> None:
        self.made: list[Fault] = []
        self._place = place
        self._clients = clients
        self._chance = chance
        redis, database = place.redis, place.database
        self._faults: dict[str, Callable[[], Awaitable[Mend]]] = {
            "the server is killed": self._kill_server,
            "a worker is killed": self._kill_worker,
            "a worker freezes": self._freeze_worker,
            "the workers' database sessions are ended": self._end_sessions,
            "a table is renamed": self._rename,
            "a point is poison": self._poison,
            "Redis refuses": lambda: self._refuse(redis),
            "the database refuses": lambda: self._refuse(database),
            "Redis and the database refuse": self._refuse_both,
            "Redis hangs": lambda: self._hold(redis),
            "the database hangs": lambda: self._hold(database),
            "Redis is slow": lambda: self._delay(redis),
            "the database is slow": lambda: self._delay(database),
            "connections to Redis are reset": lambda: self._cut(redis),
            "connections to the database are reset": lambda: self._cut(database),
            "an answer of Redis is cut": lambda: self._trap(redis, Trap(b"EVALSHA")),
            "a COPY is cut": lambda: self._trap(database, Trap(b"COPY ", after=chance.randrange(_WITHIN_COPY))),
            "the answer to a commit is cut": lambda: self._trap(database, Trap(b"COMMIT", answered=b"COMMIT")),
        }

    async def run(self, seconds: float, tell: Tell) -> None:
        """Make faults for so long; all are mended when it returns."""
        began = time.monotonic()
        for what in self._order():
            aio.check_cancelled()
            at = time.monotonic() - began
            if at >= seconds:
                return
            lasts = min(self._chance.uniform(0.1, _LONGEST_SECONDS), seconds - at)
            tell(f"{what}, for {lasts:.1f} s; {seconds - at:.0f} s left")
            mend = await self._faults[what]()
            happened = False
            try:
                await asyncio.sleep(lasts)
            finally:
                happened = await mend()
            if happened:
                self.made.append(Fault(round(at, 2), what, round(time.monotonic() - began - at, 2)))
            await asyncio.sleep(self._chance.uniform(0, _PAUSE_SECONDS))

    def _order(self) -> Iterator[str]:
        names = sorted(self._faults)
        while True:
            self._chance.shuffle(names)
            yield from names

    async def _kill_server(self) -> Mend:
        if self._place.server is not None:
            await self._place.server.kill()

        async def mend() -> bool:
            await self._place.start_server()
            return True

        return mend

    async def _kill_worker(self) -> Mend:
        number = self._chance.randrange(len(self._place.workers))
        await self._place.workers[number].kill()

        async def mend() -> bool:
            # one that does not find its servers ends, for a service manager to start it again; here is none
            self._place.workers[number] = await self._place.start_worker()
            await self._place.workers[number].works()
            return True

        return mend

    async def _freeze_worker(self) -> Mend:
        worker = self._chance.choice(self._place.workers)
        worker.freeze()
        return _then(worker.thaw)

    async def _end_sessions(self) -> Mend:
        """Those that the workers' heartbeats name: this scratch's own, and no others."""
        scratch = self._place.scratch
        for beat in await scratch.heartbeats.read():
            if beat.session is not None:
                await end(scratch.connection, Session(*beat.session))
        return _nothing

    async def _rename(self) -> Mend:
        there, away = sql.Identifier(LIVE.table), sql.Identifier(f"{LIVE.table}_away")
        rename = sql.SQL("ALTER TABLE {} RENAME TO {}")
        connection = self._place.scratch.connection
        await connection.execute(rename.format(there, away))

        async def mend() -> bool:
            await connection.execute(rename.format(away, there))
            return True

        return mend

    async def _poison(self) -> Mend:
        self._chance.choice([client for client in self._clients.each if client.device.kind is UPLOAD]).is_poisoned = True
        return _nothing

    async def _refuse(self, door: Door) -> Mend:
        door.refuse()
        return _then(door.open)

    async def _refuse_both(self) -> Mend:
        mends = [await self._refuse(door) for door in (self._place.redis, self._place.database)]

        async def mend() -> bool:
            return all([await each() for each in mends])

        return mend

    async def _hold(self, door: Door) -> Mend:
        door.hold()
        return _then(door.flow)

    async def _delay(self, door: Door) -> Mend:
        door.delay = self._chance.uniform(0.01, _SLOWEST_SECONDS)

        async def mend() -> bool:
            door.delay = 0.0
            return True

        return mend

    async def _cut(self, door: Door) -> Mend:
        door.cut()
        return _nothing

    async def _trap(self, door: Door, trap: Trap) -> Mend:
        door.set(trap)

        async def mend() -> bool:
            # what it waits for did not come in time: it must not wait into the next fault
            door.clear()
            return trap.sprung.is_set()

        return mend


def _then(step: Callable[[], object]) -> Mend:
    async def mend() -> bool:
        step()
        return True

    return mend


async def _nothing() -> bool:
    """What heals by itself."""
    return True
