"""What waits, and who works on it."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager

import pytest
from redis.asyncio import Redis

from pointq.points.kinds import KINDS, LIVE
from pointq.queue.connection import connect
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.ledger import Ledger
from pointq.queue.producer import Append, Producer
from tests.doctor.doctor import Patient
from tests.support.processes import Running
from tests.support.sites import Site
from tests.support.until import until


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def lane(prefix: str) -> Lane:
    return Lane.of(LIVE, prefix=prefix)


@pytest.fixture
def patient(patient: Patient, redis_url: str, prefix: str) -> Patient:
    return patient.with_(POINTQ_REDIS__URL=redis_url, POINTQ_QUEUE__PREFIX=prefix)


@pytest.fixture
def beats(redis: Redis, redis_url: str, prefix: str) -> Heartbeats:
    return Heartbeats(redis, redis_url, prefix)


async def put(redis: Redis, url: str, lane: Lane, points: int = 3) -> None:
    await Producer(redis, url, Acknowledgement()).enqueue([Append(lane, b"frame", points)])


def worker(at: float, state: str = "running", kinds: Collection[str] = tuple(KINDS), name: str = "here-7-a") -> Heartbeat:
    return Heartbeat(name, "here", 7, (1, 2, 3), tuple(kinds), 0.0, 0, state, at)


async def test_nothing_waits_and_nobody_works(patient: Patient) -> None:
    line = await patient.line("workers.alive")

    assert (line.severity, line.message) == ("ok", "no worker runs, and nothing waits")


async def test_work_and_no_worker_of_its_kind(
    patient: Patient, redis: Redis, redis_url: str, lane: Lane, beats: Heartbeats
) -> None:
    await put(redis, redis_url, lane)
    now = await beats.now()

    for beat in (None, worker(now, kinds=("upload", "flymaster")), worker(now - 60)):
        if beat:
            await beats.beat(beat)
        line = await patient.line("workers.alive")
        assert (line.severity, line.mend) == ("fail", "pointq work --kind live")
        assert line.message == "3 live points wait and no worker takes them"

    await beats.beat(worker(await beats.now()))
    assert await patient.severity("workers.alive") == "ok"


async def test_a_real_worker(patient: Patient, site: Site, redis_url: str, redis: Redis, lane: Lane) -> None:
    await put(redis, redis_url, lane)
    with working(site):
        found = {line.check: line.severity for line in (await patient.examine()).findings}
        assert (found["workers.alive"], found["workers.state"]) == ("ok", "ok")


@contextmanager
def working(site: Site) -> Iterator[Running]:
    with site.work() as running:
        until(lambda: site.status()["workers"], "a worker is listed")
        yield running


@pytest.mark.parametrize(
    ("state", "silent", "severity", "said"),
    [
        ("running", 0.0, "ok", "all of 1 workers work"),
        ("draining", 0.0, "ok", "all of 1 workers work"),
        ("paused", 0.0, "warn", "the worker 7 on here is paused"),
        ("running", 60.0, "warn", "the worker 7 on here has been silent for 60 s"),
    ],
)
async def test_what_workers_say(
    patient: Patient, beats: Heartbeats, state: str, silent: float, severity: str, said: str
) -> None:
    await beats.beat(worker(await beats.now() - silent, state))

    line = await patient.line("workers.state")

    assert line.severity == severity
    assert line.message.startswith(said)


async def test_dead_letters(patient: Patient, redis: Redis, redis_url: str, lane: Lane) -> None:
    assert await patient.severity("queue.dead") == "ok"
    await put(redis, redis_url, lane)
    consumer = Consumer(redis, redis_url, "one")
    (entry,), _ = await consumer.read(lane, 10)
    await consumer.complete(lane, Outcome([entry], 2, 0, [DeadLetter(entry, b"bad", 1, "22003", "out of range")]))

    line = await patient.line("queue.dead")

    assert (line.severity, line.message) == ("warn", "1 live points are dead letters")
    assert str(line.mend).startswith("pointq inspect live --dead")


async def test_batches_of_a_worker_that_is_gone(
    patient: Patient, redis: Redis, redis_url: str, lane: Lane, beats: Heartbeats
) -> None:
    await put(redis, redis_url, lane)
    await Consumer(redis, redis_url, "gone").read(lane, 10)
    soon = patient.with_(POINTQ_WORK__RECLAIM_IDLE_SECONDS="0.001")

    # three milliseconds have passed by now, ten seconds have not
    line = await soon.line("queue.stale")
    assert (line.severity, line.mend) == ("warn", "pointq work --kind live --drain")
    assert line.message.startswith("1 live batches have been with gone for 0 s")
    assert await patient.severity("queue.stale") == "ok"

    await beats.beat(worker(await beats.now(), name="gone"))
    assert await soon.severity("queue.stale") == "ok"


async def test_a_redis_that_came_back_empty(patient: Patient, redis: Redis, redis_url: str, lane: Lane) -> None:
    assert await patient.severity("queue.lost") == "ok"
    ledger = Ledger(redis, redis_url)
    producer = Producer(redis, redis_url, Acknowledgement(), ledger)
    await producer.enqueue([Append(lane, b"frame", 3)])

    await redis.delete(lane.stream, lane.counters, lane.rates)
    await producer.enqueue([Append(lane, b"frame", 4)])
    await ledger.look([lane])

    line = await patient.line("queue.lost")
    assert (line.severity, line.message) == (
        "warn",
        "3 live points were lost when Redis came back without its data 0.0 h ago",
    )


async def test_shards_that_nobody_reads(patient: Patient, redis: Redis, redis_url: str, prefix: str) -> None:
    await put(redis, redis_url, Lane.of(LIVE, 3, prefix))

    line = await patient.line("queue.shards")
    assert (line.severity, line.mend) == ("fail", "POINTQ_QUEUE__SHARDS=4 pointq work --drain")

    assert await patient.with_(POINTQ_QUEUE__SHARDS="4").severity("queue.shards") == "ok"
