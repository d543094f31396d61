"""Workers as processes of their own: killed, orphaned, told to end."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pointq.points import frame
from pointq.points.kinds import LIVE
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.lanes import lanes_of
from pointq.queue.measure import Measure, measure
from pointq.queue.producer import Append, Producer
from pointq.supervision.job import Job, LogStyle
from pointq.supervision.supervisor import Supervisor, _manner
from pointq.work.child import job_of, plan_of
from pointq.work.process import Plan
from tests.queue.servers import restartable
from tests.store.batches import batch_of
from tests.support.clients import patient
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until
from tests.work.crew import until as async_until


def site_plan(site: Site, **options: Any) -> Plan:
    lanes = lanes_of(prefix=site.prefix)
    defaults: dict[str, Any] = {"heartbeat_seconds": 0.05, "block_seconds": 0.05, "reclaim_idle_seconds": 0.3}
    return Plan(site.redis_url, site.database_url, lanes, site.prefix, **defaults | options)


def work(site: Site, **options: Any) -> Job:
    return job_of(site_plan(site, **options), LogStyle("warning", "json", no_color=True))


async def pids(site: Site, *, fresh: bool = True) -> set[int]:
    """Return the process ids of the workers on the list; by default of those that say that they live."""
    redis = patient(site.redis_url)
    try:
        beats = Heartbeats(redis, site.redis_url, site.prefix)
        now = await beats.now()
        return {beat.pid for beat in await beats.read() if not fresh or now - beat.at < 1}
    finally:
        await redis.aclose()


async def put(site: Site, batches: int, points: int = 100) -> None:
    redis = patient(site.redis_url)
    producer = Producer(redis, site.redis_url, Acknowledgement())
    lane = lanes_of([LIVE], prefix=site.prefix)[0]
    appends = [Append(lane, frame.encode(batch_of(points, start=points * i)), points) for i in range(batches)]
    await producer.enqueue(appends)
    await redis.aclose()


async def live(site: Site) -> Measure:
    redis = patient(site.redis_url)
    try:
        return await measure(redis, site.redis_url, lanes_of([LIVE], prefix=site.prefix)[0])
    finally:
        await redis.aclose()


def stored(site: Site) -> int:
    return int(site.value("SELECT count(*) FROM live_track_points"))


@asynccontextmanager
async def supervised(*jobs: Job) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(jobs)
    supervisor.start()
    supervisor.start()
    try:
        yield supervisor
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await supervisor.stop()
            await supervisor.stop()


def pids_are(site: Site, condition: Callable[[set[int]], bool]) -> Callable[[], Any]:
    async def check() -> bool:
        return condition(await pids(site))

    return check


async def test_workers_that_die_are_replaced(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(work(site), work(site)):
        await async_until(pids_are(site, lambda found: len(found) == 2), "two workers live")
        victims = await pids(site)
        for victim, number in zip(victims, (signal.SIGKILL, signal.SIGTERM), strict=True):
            os.kill(victim, number)
        await async_until(pids_are(site, lambda found: len(found - victims) == 2), "two others live in their place")
        await put(site, 10)
        await async_until(lambda: stored(site) == 1_000, "all is stored")

    assert await pids(site, fresh=False) <= victims
    for victim in victims:
        assert f"worker process {victim} died" in caplog.text


async def test_draining_workers_end_by_themselves(site: Site) -> None:
    await put(site, 10)
    supervisor = Supervisor([work(site, drain=True)] * 2)
    supervisor.start()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await supervisor.ended()

    assert stored(site) == 1_000


async def test_stopped_in_the_moment_of_starting(site: Site) -> None:
    for ticks in (0, 1, 20):
        async with supervised(work(site)) as supervisor:
            for _ in range(ticks):
                await asyncio.sleep(0)
        assert all(process.returncode is not None for process in supervisor._processes.values())


async def test_a_supervisor_that_was_never_started(site: Site) -> None:
    supervisor = Supervisor([work(site)])
    await supervisor.ended()
    await supervisor.stop()


async def test_a_process_that_cannot_be_started_is_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", "/nonexistent/python")
        async with supervised(work(site)):
            await async_until(lambda: "no worker process can be started" in caplog.text, "it says so")
            patch.undo()
            await async_until(pids_are(site, bool), "a worker lives")


def test_how_a_process_ended() -> None:
    assert [_manner(code) for code in (-9, 1, 0, None)] == ["killed by SIGKILL", "exit code 1", "exit code 0", "exit code None"]


def test_a_plan_comes_over_whole_and_shows_no_password(site: Site) -> None:
    plan = site_plan(site, drain=True, strict=True, batch_points=7)
    job = job_of(plan, LogStyle("warning", "json", no_color=True))
    line = job.to_json()

    assert line.count(b"\n") == 1
    sent = json.loads(line)
    assert LogStyle(**sent["log"]) == job.log
    read = plan_of(sent["plan"])
    assert replace(read, lanes=()) == replace(plan, lanes=())
    assert list(read.lanes) == list(plan.lanes)
    assert site.redis_url not in repr(job)
    assert site.database_url not in repr(job)


def test_workers_end_when_their_parent_is_killed(site: Site) -> None:
    with site.work("--processes", "2") as parent:
        until(lambda: len(asyncio.run(pids(site))) == 2, "two workers live")
        parent.kill(children=False)

    # each takes itself off the list when it ends in good order
    until(lambda: not asyncio.run(pids(site, fresh=False)), "no worker is left")


def test_workers_end_when_redis_and_their_parent_are_gone(site: Site) -> None:
    with restartable(appendonly="yes", appendfsync="always") as server:
        own = replace(site, redis_url=server.url)
        with own.work("--processes", "2") as parent:
            until(lambda: len(asyncio.run(pids(own))) == 2, "two workers live")
            workers = asyncio.run(pids(own))
            server.kill()
            parent.kill(children=False)

            until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "no worker is left")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_first_sigterm_and_any_more_store_what_was_read(site: Site, processes: str) -> None:
    asyncio.run(put(site, 400, points=500))
    with site.work("--processes", processes) as running:
        until(lambda: stored(site), "the first points are stored")
        # a service manager tells the workers, and so does their parent
        for pid in (running.process.pid, *asyncio.run(pids(site))):
            os.kill(pid, signal.SIGTERM)
        running.ended_well()

    found = asyncio.run(live(site))
    assert found.pending_points == 0
    assert found.ready_points + stored(site) == 200_000


@pytest.mark.parametrize(("processes", "number"), [(1, signal.SIGINT), (1, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_drain_that_is_ended_before_all_is_stored_was_interrupted(site: Site, processes: int, number: signal.Signals) -> None:
    site = replace(site, extra={"POINTQ_WORK__BATCH_POINTS": "500"})
    asyncio.run(put(site, 20, points=500))
    with psycopg.connect(site.database_url) as connection:
        connection.execute("LOCK TABLE live_track_points")
        with site.work("--drain", "--processes", str(processes)) as running:
            until(lambda: asyncio.run(live(site)).pending_batches, "one waits for the table")
            until(lambda: len(asyncio.run(pids(site))) == processes, "the workers live")
            running.process.send_signal(number)
            until(lambda: running.log.count("stopping: ") == processes, "each says that it stops")
            connection.rollback()
            assert running.process.wait(20) == 130
            assert "Traceback" not in running.log

    found = asyncio.run(live(site))
    assert found.pending_points == 0
    assert found.ready_points == 10_000 - stored(site) > 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_ctrl_c_ends_at_once_and_loses_nothing(site: Site, processes: str) -> None:
    site = replace(site, extra={"POINTQ_WORK__RECLAIM_IDLE_SECONDS": "0.2"})
    with psycopg.connect(site.database_url) as connection:
        connection.execute("LOCK TABLE live_track_points")
        asyncio.run(put(site, 5))
        with site.work("--processes", processes) as running:
            until(lambda: len(asyncio.run(pids(site))) == int(processes), "the workers live")
            until(lambda: asyncio.run(live(site)).pending_batches, "one waits for the table")
            running.process.send_signal(signal.SIGINT)
            until(lambda: running.log.count("stopping: ") == int(processes), "each says that it stops")
            running.process.send_signal(signal.SIGINT)
            assert running.process.wait(7) in {0, 130}
            assert "Traceback" not in running.log
    site.drain()
    assert stored(site) == 500
