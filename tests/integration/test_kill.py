"""Workers die in the middle of their work; what was accepted is in the tables nevertheless, once.

For a longer run: POINTQ_TEST_CLIENTS, POINTQ_TEST_FIXES_PER_SECOND, POINTQ_TEST_SECONDS and POINTQ_TEST_KILLS.
"""

import itertools
import os
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import LIVE, UPLOAD
from tests.support.points import START, flight_uuid, point, text, track
from tests.support.processes import Server
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until

CLIENTS = int(os.environ.get("POINTQ_TEST_CLIENTS", "10"))
FIXES_PER_SECOND = float(os.environ.get("POINTQ_TEST_FIXES_PER_SECOND", "10"))
SECONDS = float(os.environ.get("POINTQ_TEST_SECONDS", "4"))
KILLS = int(os.environ.get("POINTQ_TEST_KILLS", "3"))

Key = tuple[uuid.UUID, datetime, float, float]


@pytest.fixture
def quick(site: Site) -> Site:
    """A pointq whose workers soon take over what a dead one held."""
    return replace(site, extra={"POINTQ_WORK__RECLAIM_IDLE_SECONDS": "1"})


@dataclass
class Crowd:
    """Clients that send fixes one by one, and remember what was accepted."""

    server: Server
    accepted: list[Key] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unanswered: list[Key] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def send(self, number: int) -> None:
        """Send the fixes of one device, in time with the clock, until it is over or the server is gone."""
        with self.server.client() as client:
            for i in itertools.count():
                if self.over.wait(1 / FIXES_PER_SECOND):
                    return
                time, lat, lon = START + timedelta(seconds=i), round(45 + i * 1e-5, 7), round(6 + i * 1e-5, 7)
                key = (flight_uuid("live", f"device {number}"), time, lat, lon)
                try:
                    answer = client.post(LIVE, self._request(f"device {number}", time, lat, lon))
                except (OSError, HTTPException):
                    self.unanswered.append(key)
                    return
                if answer.status == 202:
                    self.accepted.append(key)
                else:
                    self.refused.append(answer.text)

    def _request(self, device: str, time: datetime, lat: float, lon: float) -> dict[str, Any]:
        return {"flight_id": device, "track_points": [point(datetime=text(time), lat=lat, lon=lon)]}


@contextmanager
def crowd(server: Server) -> Iterator[Crowd]:
    """Send while the block runs; afterwards every client has had its last answer."""
    found = Crowd(server)
    with ThreadPoolExecutor(CLIENTS) as threads:
        sending = [threads.submit(found.send, number) for number in range(CLIENTS)]
        try:
            yield found
        finally:
            found.over.set()
    for sent in sending:
        sent.result()


def stored(site: Site) -> list[Key]:
    return [(row["flight_uuid"], row["time"], row["lat"], row["lon"]) for row in site.points("live")]


def assert_exact(site: Site, expected: list[Key]) -> None:
    """Exactly these rows are in the table, and the flights know how many."""
    assert sorted(stored(site)) == sorted(expected)
    flights = site.rows("SELECT flight_uuid, points FROM flights")
    assert {row["flight_uuid"]: row["points"] for row in flights} == Counter(key[0] for key in expected)


def no_process_of(group: int) -> bool:
    """Whether a worker and all processes that it started are dead; one that nobody has waited for is."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of_group = path.read_text().rpartition(")")[2].split()[:3]
            # of a process with threads the first may be dead and the others not: they hold its sockets open
            if int(of_group) == group and (state != "Z" or len(list(path.with_name("task").iterdir())) > 1):
                return False
    return True


def grown(site: Site, before: int) -> bool:
    return len(stored(site)) > before


@pytest.mark.timeout(PATIENCE_SECONDS * 4 + SECONDS * 2)
def test_workers_killed_under_load(quick: Site) -> None:
    """Each dies while points come in, and after it has stored some: alone, or with the processes that it started."""
    with quick.serve() as server, ExitStack() as workers:
        with crowd(server) as clients:
            for kill in range(KILLS):
                before = len(stored(quick))
                worker = workers.enter_context(quick.work())
                until(partial(grown, quick, before), f"worker {kill + 1} stores something")
                clients.over.wait(SECONDS / (KILLS + 1))
                worker.kill(children=kill % 2 == 1)
            clients.over.wait(SECONDS / (KILLS + 1))
        quick.drain()
        assert not clients.refused
        assert len(clients.accepted) >= CLIENTS
        assert_exact(quick, clients.accepted)


def test_a_backlog_and_workers_killed_at_once(quick: Site) -> None:
    """A worker that dies as soon as it has rows in the table has more in its hands: those are stored by another."""
    with quick.serve() as server, server.client() as client:
        for flight in range(60):
            answer = client.post(UPLOAD, {"flight_id": f"f{flight}", "track_points": track(500)})
            assert answer.status == 202
    small = replace(quick, extra={**quick.extra, "POINTQ_WORK__BATCH_POINTS": "1000"})
    for _ in range(3):
        before = uploaded(small)
        with small.work() as worker:
            until(partial(uploading, small, before), "the worker stores something")
            worker.kill(children=False)
            until(partial(no_process_of, worker.process.pid), "no process of a killed worker is left")
    small.drain()
    assert uploaded(small) == 30_000
    assert {row["points"] for row in small.rows("SELECT points FROM flights")} == {500}
    status = small.status()
    assert [queue["total_pending"] for queue in status["queues"]] == [0, 0, 0, 0]
    assert [queue["dead_points"] for queue in status["queues"]] == [0, 0, 0, 0]
    assert status["totals"]["accepted_points"] == 30_000


def uploading(site: Site, before: int) -> bool:
    return uploaded(site) > before or before == 30_000


def uploaded(site: Site) -> int:
    return int(site.value("SELECT count(*) FROM uploaded_track_points"))


def test_sigterm_ends_a_worker_after_what_it_read_is_stored(quick: Site) -> None:
    with quick.serve() as server:
        with crowd(server) as clients:
            worker = quick.work()
            with worker:
                until(lambda: grown(quick, 0), "the worker stores something")
                worker.stop()
        at_end = status_of(quick)
        assert at_end["pending_points"] == 0, "what it read is stored"
        assert at_end["ready_points"] + len(stored(quick)) == len(clients.accepted)
        quick.drain()
        assert_exact(quick, clients.accepted)


def status_of(site: Site) -> dict[str, int]:
    return next(queue for queue in site.status()["queues"] if queue["kind"] == "live")


def test_two_workers_share_and_one_dies(quick: Site) -> None:
    with quick.serve() as server, quick.work() as survivor, quick.work() as victim:
        until(lambda: len(quick.status()["workers"]) == 2, "both workers are at work")
        with crowd(server) as clients:
            until(lambda: grown(quick, CLIENTS), "the workers store something")
            victim.kill()
        until(lambda: len(stored(quick)) == len(clients.accepted), "the survivor stores what the dead one held")
        assert_exact(quick, clients.accepted)
        assert survivor.process.poll() is None


@pytest.mark.parametrize("brutally", [False, True])
def test_a_server_that_ends_under_load_keeps_its_promises(quick: Site, *, brutally: bool) -> None:
    """Requests that had no answer may be stored or not; what was answered 202 is."""
    with quick.serve() as server:
        with crowd(server) as clients:
            until(lambda: len(clients.accepted) > 5 * CLIENTS, "clients have answers")
            if brutally:
                server.kill()
            else:
                server.stop()
        assert not clients.refused
        quick.drain()
        found = set(stored(quick))
        assert set(clients.accepted) <= found <= {*clients.accepted, *clients.unanswered}


def test_workers_that_meet_at_the_same_flights(quick: Site) -> None:
    """Several processes store the same points of the same flights at the same time, in different orders."""
    flights = [f"f{number}" for number in range(8)]

    def send(client_number: int) -> None:
        order = random.Random(client_number)  # noqa: S311 - an order, always the same
        with server.client() as client:
            for _ in range(20):
                flight = order.choice(flights)
                points = order.sample(track(200), 120)
                assert client.post(UPLOAD, {"flight_id": flight, "track_points": points}).status == 202

    few = replace(quick, extra={**quick.extra, "POINTQ_WORK__BATCH_POINTS": "500"})
    with few.serve() as server, few.work("--processes", "2"), few.work():
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(threads.map(send, range(CLIENTS)))
        few.drain()
    rows = few.points("upload", "flight_uuid, count(*) AS points", "GROUP BY flight_uuid ORDER BY flight_uuid")
    assert rows == few.rows("SELECT flight_uuid, points FROM flights ORDER BY flight_uuid")
    totals = few.status()["totals"]
    assert totals["accepted_points"] == CLIENTS * 20 * 120
    assert totals["stored_points"] == sum(row["points"] for row in rows)
    assert totals["accepted_points"] == totals["stored_points"] + totals["duplicate_points"]
    assert totals["dead_points"] == 0
