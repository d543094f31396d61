"""An installation of one test: servers of its own, a door before each, and a check of everything that it promised."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from pointq.ops.bench.door import HOST, Door
from pointq.ops.collect import collect
from pointq.ops.status import Status, Totals
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import KINDS
from pointq.queue.lanes import Lane, lanes_of
from pointq.spool.stats import inspect
from tests.faults.load import BUDGET_SECONDS, SLACK_SECONDS, Key, Load
from tests.faults.servers import USER, DatabaseServer, QueueServer
from tests.support.clients import patient
from tests.support.points import TABLES
from tests.support.processes import Running
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until

SECONDS = float(os.environ.get("POINTQ_TEST_FAULT_SECONDS", "10"))
"""How long a fault lasts where it matters; 60 and more by hand."""

RECOVERY_SECONDS = 5.0
"""After which a worker must have gone on by itself (issue 4)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = ("live", "upload")


@dataclass(frozen=True)
class Letter:
    """A dead letter."""

    fields: dict[str, bytes]
    lane: Lane

    @property
    def points(self) -> int:
        return int(self.fields["n"])


@dataclass(frozen=True)
class Installation:
    """Where everything of it is."""

    queue: QueueServer
    database: DatabaseServer
    redis_door: Door
    database_door: Door
    name: str
    """Of the database."""
    admin_url: str
    """The way past the door, for one who may do anything."""
    home: Path
    settings: tuple[tuple[str, str], ...] = ()

    @cached_property
    def site(self) -> Site:
        """pointq as it is installed: it knows the doors, not what is behind them."""
        return Site(
            f"redis://{HOST}:{self.redis_door.port}/0",
            f"postgresql://{USER}@{HOST}:{self.database_door.port}/{self.name}?sslmode=disable&gssencmode=disable",
            "pointq",
            self.home,
            {"POINTQ_WORK__RECLAIM_IDLE_SECONDS": "1", **dict(self.settings)},
        )

    @cached_property
    def straight(self) -> Site:
        """The same past the doors, as an administrator."""
        return replace(self.site, redis_url=self.queue.url, database_url=self.admin_url)

    def having(self, **settings: str) -> "Installation":
        """The same with further settings."""
        return replace(
            self, settings=(*self.settings, *((f"POINTQ_{name.upper()}", value) for name, value in settings.items()))
        )

    @property
    def spool(self) -> Path:
        """The folder of the spool."""
        return self.home / "data" / "spool"

    @contextmanager
    def worker(self) -> Iterator[Running]:
        """A worker that has reached its servers: from now on it waits for them, whatever happens."""
        with self.site.work() as running:
            until(lambda: lines(running, " reads "), "the worker begins")
            yield running

    def admin(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect past the door, to be closed by its `with` block."""
        return psycopg.connect(self.admin_url, autocommit=True)

    def order(self, statement: Any) -> None:
        """Change something in the database."""
        with self.admin() as connection:
            connection.execute(statement)

    def lane(self, kind: str) -> Lane:
        return Lane.of(KINDS[kind])

    def status(self) -> Status:
        """What `pointq status` tells on this machine, without the time that a process takes to start."""

        async def ask() -> Status:
            client = patient(self.queue.url)
            try:
                return await collect(client, (self.queue.url, self.admin_url), lanes_of(), spool=self.spool, patience=10)
            finally:
                await client.aclose()

        return asyncio.run(ask())

    def count(self, *names: str) -> int:
        """The sum of those counters over the lanes."""
        with closing(self.queue.client()) as client:
            found: Any = [client.hmget(self.lane(kind).counters, names) for kind in _KINDS]
        return sum(int(value or 0) for values in found for value in values)

    def done(self) -> int:
        """Points that workers are through with."""
        return self.count("stored_points", "duplicate_points", "dead_points")

    def waiting(self) -> int:
        """Points in the queue."""
        return self.count("ready_points", "pending_points")

    def works(self, within: float = PATIENCE_SECONDS) -> None:
        """Wait until a worker is through with something more."""
        before = self.done()
        until(lambda: self.done() > before, "a worker stores something", within=within)

    def empty(self) -> None:
        """Wait until the queue and the spool are empty, by themselves."""
        until(lambda: not inspect(self.spool).points, "the spool is empty")
        until(lambda: not self.waiting(), "the queue is empty")

    def stored(self) -> list[Key]:
        """Every row of both tables."""
        return [
            (kind, row["flight_uuid"], row["time"], row["lat"], row["lon"])
            for kind in _KINDS
            for row in self.straight.points(kind, "flight_uuid, time, lat, lon")
        ]

    def dead(self) -> list[Letter]:
        """Every dead letter."""
        with closing(self.queue.client()) as client:
            raw: Any = [(kind, client.xrange(self.lane(kind).dead)) for kind in _KINDS]
        return [
            Letter({name.decode(): value for name, value in fields.items()}, self.lane(kind))
            for kind, letters in raw
            for _, fields in letters
        ]

    def settle(self) -> None:
        """Store what waits: first in the spool, by a server that runs, then in the queue."""
        until(lambda: not inspect(self.spool).points, "the spool is empty")
        self.site.drain()

    def check(
        self,
        *loads: Load,
        dead: Iterable[Key] = (),
        quarantined: Iterable[Key] = (),
        emptied: bool = False,
    ) -> None:
        """What was accepted is stored once or reported as `dead` or `quarantined`; all else is nowhere or once."""
        rows = self.stored()
        found, aside = set(rows), {*dead, *quarantined}
        accepted = set[Key]().union(*(load.accepted for load in loads))
        uncertain = set[Key]().union(*(load.uncertain for load in loads))
        assert accepted, "the load was accepted"
        assert len(rows) == len(found), "no row is there twice"
        assert not (lost := accepted - found - aside), f"{len(lost)} accepted points are lost, such as {min(lost)}"
        assert not (strange := found - accepted - uncertain), f"{len(strange)} rows were never sent, such as {min(strange)}"
        assert not found & aside, "what was set aside is not stored too"
        self._check_flights(rows)
        if not emptied:
            self._check_books(len(set(dead)))

    def _check_flights(self, rows: list[Key]) -> None:
        flights = self.straight.rows("SELECT kind, flight_uuid, points FROM flights WHERE points > 0")
        assert {(row["kind"], row["flight_uuid"]): row["points"] for row in flights} == Counter(key[:2] for key in rows)

    def _check_books(self, dead: int) -> None:
        status = self.status()
        figures = [(queue.total_pending, queue.ready_batches, queue.pending_batches) for queue in status.queues]
        assert figures == [(0, 0, 0)] * len(TABLES)
        assert status.spool.points == 0
        assert status.totals.dead_points == dead
        assert sum(letter.points for letter in self.dead()) == dead
        assert_balanced(status.totals)


def assert_balanced(totals: Totals) -> None:
    """What was accepted has become of something, and no figure is less than nothing."""
    done = (totals.stored_points, totals.duplicate_points, totals.dead_points, totals.lost_points)
    assert min(count or 0 for count in done) >= 0, totals
    assert totals.accepted_points == sum(count or 0 for count in done), totals


def keys_of(batch: PointBatch) -> list[Key]:
    """The keys of a batch's points."""
    rows = zip(batch.flight, batch.time, batch.columns["lat"], batch.columns["lon"], strict=True)
    return [
        (batch.kind.name, batch.flights[int(flight)].uuid, _EPOCH + timedelta(microseconds=int(time)), float(lat), float(lon))
        for flight, time, lat, lon in rows
    ]


def decoded(data: bytes) -> list[Key]:
    """The keys of a frame's points."""
    return keys_of(frame.decode(data))


def assert_prompt(load: Load) -> None:
    """No request waited longer than the budget, and none was refused."""
    assert not load.refused, load.refused[0]
    assert load.slowest < BUDGET_SECONDS + SLACK_SECONDS


def lines(running: Running, *words: str) -> list[str]:
    """The lines of its log that have all those words."""
    return [line for line in running.log.splitlines() if all(word in line for word in words)]
