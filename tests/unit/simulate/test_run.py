"""A whole simulation against a server of a few lines, which fails as it is told."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession, web

from pointq.errors import BackendError
from pointq.formats.flymaster import parse_flymaster_upload
from pointq.ops.simulate.device import Clock, Device
from pointq.ops.simulate.plan import Pilot, Plan
from pointq.ops.simulate.post import Post
from pointq.ops.simulate.recorder import record
from pointq.ops.simulate.run import Simulation, Snapshot
from pointq.ops.simulate.totals import Totals
from pointq.points.kinds import KINDS, LIVE
from tests.support.until import PATIENCE_SECONDS

PLAN = Plan(
    "", datetime(2026, 6, 21, 10, tzinfo=UTC), "test", pilots=10, duration=120.0, speed=120.0, duplicates=0.0, secret="s"
)
NOW_US = 1_800_000_000_000_000

Fault = Callable[[int], int | None]
"""The status of the n-th request; 0 takes its points and drops the connection, None takes them and says so."""


class Received:
    """What a server took: points by kind and time, and how often."""

    def __init__(self) -> None:
        self.points: Counter[tuple[str, str, int]] = Counter()
        self.requests = 0
        self.authorizations: set[str | None] = set()

    def take(self, kind: str, body: dict[str, Any]) -> None:
        for point in body.get("track_points") or body["tracks"]:
            moment = datetime.fromisoformat(point.get("datetime") or point["date_time"])
            self.points[kind, body["flight_id"], round(moment.timestamp() * 1_000)] += 1


@asynccontextmanager
async def serving(fault: Fault = lambda _: None) -> AsyncIterator[tuple[str, Received]]:
    received = Received()

    async def accept(request: web.Request) -> web.Response:
        received.requests += 1
        received.authorizations.add(request.headers.get("Authorization"))
        status = fault(received.requests)
        if status:
            return web.Response(status=status)
        if request.path == KINDS["flymaster"].endpoint:
            upload = parse_flymaster_upload(await request.read(), now_us=NOW_US)
            for us in upload.track.columns["time"].tolist():
                received.points["flymaster", upload.serial, us // 1_000] += 1
            answer = web.Response(text="OK")
        else:
            received.take({kind.endpoint: kind.name for kind in KINDS.values()}[request.path], await request.json())
            answer = web.json_response({"rejected_count": 0}, status=202)
        if status == 0:
            assert request.transport
            request.transport.close()
        return answer

    app = web.Application()
    app.router.add_post("/{path:.*}", accept)
    app.router.add_get("/livez", accept_any)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", received
    finally:
        await runner.cleanup()


async def accept_any(_: web.Request) -> web.Response:
    return web.Response()


def everything(plan: Plan) -> set[tuple[str, str, int]]:
    """The keys of all points of a plan."""
    task, found = plan.task(), set()
    for pilot in plan.crew():
        name = pilot.device_id if pilot.kind.name == "flymaster" else pilot.flight_id
        for piece in record(pilot, task):
            found |= {(pilot.kind.name, name, us // 1_000) for us in piece.batch.time.tolist()}
    return found


def ignore(_: Snapshot) -> None:
    """Whoever watches."""


async def flown(plan: Plan, **options: Any) -> Simulation:
    simulation = Simulation(plan, ignore, **options)
    await simulation.run()
    return simulation


async def test_every_point_arrives_once() -> None:
    async with serving() as (url, received):
        simulation = await flown(replace(PLAN, url=url, token="t"))

    expected = everything(PLAN)
    assert set(received.points) == expected
    assert set(received.points.values()) == {1}
    totals = simulation.totals
    assert (totals.sent, totals.accepted, totals.rejected, totals.refused) == (len(expected), len(expected), 0, 0)
    assert (simulation.unsent, totals.duplicates_sent, totals.retries) == (0, 0, 0)
    assert received.authorizations == {"Bearer t"}
    assert totals.latencies.count > 0


async def test_a_server_that_is_away_gets_everything_when_it_is_back() -> None:
    async with serving(lambda number: 503 if number % 50 < 10 else None) as (url, received):
        simulation = await flown(replace(PLAN, url=url))

    assert set(received.points) == everything(PLAN)
    assert set(received.points.values()) == {1}
    assert simulation.unsent == 0
    assert simulation.totals.retries >= 10
    # who waited half a second for another try is charged for it
    assert simulation.totals.latencies.highest > 0.25


async def test_points_whose_answer_was_lost_are_sent_again() -> None:
    async with serving(lambda number: 0 if number % 10 == 0 else None) as (url, received):
        simulation = await flown(replace(PLAN, url=url))

    assert set(received.points) == everything(PLAN)
    assert simulation.totals.unanswered >= 1
    assert received.points.total() - len(received.points) == simulation.totals.duplicates_sent > 0
    assert simulation.totals.accepted == len(received.points)


async def test_resends_on_purpose_are_counted() -> None:
    async with serving() as (url, received):
        simulation = await flown(replace(PLAN, url=url, duplicates=1.0))

    assert received.points.total() == 2 * len(received.points)
    assert simulation.totals.duplicates_sent == simulation.totals.sent == len(received.points)


async def test_a_refusal_is_not_tried_again() -> None:
    async with serving(lambda _: 401) as (url, received):
        simulation = await flown(replace(PLAN, url=url))

    totals = simulation.totals
    assert totals.refused == totals.sent == len(everything(PLAN))
    assert totals.retries == 0
    assert totals.statuses == {401: received.requests}


async def test_what_is_not_settled_in_the_end_is_unsent() -> None:
    async with serving(lambda _: 503) as (url, _):
        simulation = await flown(replace(PLAN, url=url), patience=0.1)

    assert simulation.totals.sent == 0
    assert simulation.unsent == len(everything(PLAN))


async def test_a_burst_that_outlasts_the_competition_is_sent_to_its_end() -> None:
    plan = replace(PLAN, duration=1_200.0, speed=6_000.0)
    async with serving() as (url, received):
        simulation = await flown(replace(plan, url=url), patience=PATIENCE_SECONDS)

    assert simulation.unsent == 0
    assert set(received.points) == everything(plan)


async def test_stopped_in_the_midst_it_accounts_for_all_that_was_due() -> None:
    plan = replace(PLAN, speed=2.0)
    stop = asyncio.Event()
    async with serving(lambda number: stop.set() if number == 10 else None) as (url, received):
        simulation = Simulation(replace(plan, url=url), ignore)
        simulation.stop = stop
        await simulation.run()

    assert 0 < simulation.totals.accepted == received.points.total() < len(everything(plan))
    assert simulation.wall_seconds < plan.duration / plan.speed
    assert simulation.totals.sent + simulation.unsent <= len(everything(plan))


async def test_without_a_server_nothing_begins() -> None:
    for url in ("http://127.0.0.1:1", "http://u:hidden@127.0.0.1:1", "http://u:top/hidden@127.0.0.1:1"):
        with pytest.raises(BackendError, match="cannot be reached") as caught:
            await flown(replace(PLAN, url=url))
        assert "hidden" not in str(caught.value)
    with pytest.raises(BackendError):
        await flown(replace(PLAN, url="nonsense"))
    # the kernel takes the connection, and nobody answers: as with a server that is stopped
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BackendError, match=r"says nothing for 0\.8 s"):
        await flown(replace(PLAN, url=f"http://127.0.0.1:{silent.getsockname()[1]}"))


@pytest.mark.parametrize("number", range(1, 6))
async def test_what_is_recorded_out_of_reach_is_due_when_the_network_is_back(number: int) -> None:
    plan = replace(PLAN, duration=7_200.0, kinds=(LIVE,))
    pilot, totals = Pilot(plan, number, LIVE), Totals()
    async with ClientSession() as session:
        device = Device(pilot, plan.task(), Post(session, "http://unused", {}, totals), totals)
    outages = pilot.outages()
    ends, due = set(outages[:, 1].tolist()), set()
    for piece in record(pilot, plan.task()):
        due |= set(device._departures(piece))

    for begin, end in outages.tolist():
        assert not any(begin < second < end for second in due)
    assert len(ends & due) >= 1


async def test_a_server_that_was_away_is_not_charged_for_the_networks_of_devices() -> None:
    plan = replace(PLAN, pilots=1, duration=900.0, speed=120.0, kinds=(LIVE,))
    # away for two tries after the first fix, some 0.4 to 1.5 s; without a network until 7 s
    async with serving(lambda number: 503 if number in {2, 3} else None) as (url, received), ClientSession() as session:
        pilot, totals = Pilot(replace(plan, url=url), 1, LIVE), Totals()
        device = Device(pilot, plan.task(), Post(session, url, {}, totals), totals)
        device._outages = np.array([[pilot.phase() + 60, 840.0]])
        loop = asyncio.get_running_loop()
        started = loop.time()
        await device.run(Clock(started, plan.speed, loop.time), asyncio.Event())

    assert loop.time() - started > 6.9
    assert set(received.points) == everything(plan)
    assert 0.25 < totals.latencies.highest < 5.0
