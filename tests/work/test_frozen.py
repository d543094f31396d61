"""A worker that is frozen in the middle of its transaction, and another that has to go on without it."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest

from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import LIVE
from pointq.queue.durability import Acknowledgement
from pointq.queue.lanes import lanes_of
from pointq.queue.producer import Append, Producer
from tests.store.batches import batch_of
from tests.support.clients import patient
from tests.support.processes import Running
from tests.support.sites import Site
from tests.support.until import until
from tests.work.test_processes import live

GATE = """
    CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_lock(1), pg_advisory_unlock(1);
        RETURN NULL;
    END $$;
    CREATE TRIGGER gate BEFORE INSERT ON live_track_points FOR EACH STATEMENT EXECUTE FUNCTION gate();
"""
AT_THE_GATE = "wait_event = 'advisory'"
FROZEN = {
    # the server has all that the client sent and waits for what a frozen one never sends
    "in a COPY": (50_000, "state = 'active' AND wait_event = 'ClientRead'"),
    "between two statements": (1_000, "state = 'idle in transaction'"),
    # one round trip: the server has all that it needs and commits
    "before the answer": (100, "state = 'idle' AND strpos(query, 'unnest') > 0"),
}


async def put(site: Site, *batches: PointBatch) -> None:
    redis = patient(site.redis_url)
    lane = lanes_of([LIVE], prefix=site.prefix)[0]
    appends = [Append(lane, frame.encode(batch), len(batch)) for batch in batches]
    await Producer(redis, site.redis_url, Acknowledgement()).enqueue(appends)
    await redis.aclose()


def session_is(site: Site, what: LiteralString) -> bool:
    query: LiteralString = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND "
    )
    return bool(site.value(query + what))


@contextmanager
def frozen(site: Site, worker: Running, points: int, where: LiteralString) -> Iterator[None]:
    """Freeze the worker when it has begun to store so many points, until the block ends."""
    with psycopg.connect(site.database_url, autocommit=True) as gate:
        gate.execute(GATE)
        gate.execute("SELECT pg_advisory_lock(1)")
        asyncio.run(put(site, batch_of(points)))
        until(lambda: session_is(site, AT_THE_GATE), "the worker is at the gate, its flights locked")
        worker.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: session_is(site, where), "its session is where it shall be")
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


def settled(site: Site, points: int) -> bool:
    """Whether so many points have left the queue, every one accounted for."""
    found = asyncio.run(live(site))
    if found.ready_points or found.pending_points:
        return False
    assert found.accepted_points == found.stored_points + found.duplicate_points == points
    assert (found.pending_batches, found.dead_points) == (0, 0)
    assert site.value("SELECT count(*) FROM live_track_points") == points
    assert site.value("SELECT sum(points)::bigint FROM flights") == points
    return True


@pytest.mark.parametrize("where", FROZEN)
def test_another_stores_what_a_frozen_worker_holds_and_it_goes_on_when_it_wakes_up(site: Site, where: str) -> None:
    points, session = FROZEN[where]
    site = replace(
        site,
        extra={
            "POINTQ_WORK__RECLAIM_IDLE_SECONDS": "1",
            "POINTQ_WORK__HEARTBEAT_SECONDS": "0.1",
            "POINTQ_LOG__FORMAT": "human",
        },
    )
    with site.work() as sleeper:
        with frozen(site, sleeper, points, session), site.work() as heir:
            # of the same flight, and so in need of the same locks before anything is reclaimed
            asyncio.run(put(site, *(batch_of(1_000, start=points + 1_000 * i) for i in range(5))))
            until(lambda: settled(site, points + 5_000), "all is stored")
            heir.stop()
        assert "reclaimed 1 batches of live points from " in heir.log

        asyncio.run(put(site, *(batch_of(1_000, start=points + 5_000 + 1_000 * i) for i in range(5))))
        until(lambda: settled(site, points + 10_000), "it goes on")
        sleeper.stop()

    assert "dead letters" not in sleeper.log + heir.log
    assert f"{points} live points were completed by another worker meanwhile" in sleeper.log
    if where != "before the answer":
        assert "was ended, and with it its locks" in heir.log
        assert "the database: works again after" in sleeper.log
