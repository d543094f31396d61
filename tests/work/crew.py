"""Workers of a test, in its own process, on its own lanes and database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from redis.asyncio import Redis

from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.points.kinds import KINDS
from pointq.queue.consumer import Consumer, Entry
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.measure import Measure, measure
from pointq.queue.producer import Append, Producer
from pointq.store.mapping import PLAIN
from pointq.store.writer import Writer
from pointq.work.evictor import Evictor, silence
from pointq.work.heart import Heart
from pointq.work.reader import Reader
from pointq.work.worker import Worker
from tests.support.until import PATIENCE_SECONDS


async def until(condition: Callable[[], Any], what: str) -> None:
    """Return when the condition, which may have to be awaited, is true; fail when it never is."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = condition()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {what}") from None


class Watched(Consumer):
    """A consumer that counts how often it looked for what others left, and what it took."""

    def __init__(self, redis: Redis, url: str, name: str) -> None:
        super().__init__(redis, url, name)
        self.looks = 0
        self.taken: list[Entry] = []

    async def reclaim(self, lane: Lane, idle_seconds: float, points: int, cursor: str = "0-0") -> tuple[list[Entry], str]:
        self.looks += 1
        entries, following = await super().reclaim(lane, idle_seconds, points, cursor)
        self.taken += entries
        return entries, following


@dataclass
class Crew:
    """What a test's workers share."""

    redis: Redis
    redis_url: str
    database_url: str
    database: AsyncConnection[Any]
    producer: Producer
    prefix: str

    def lane(self, kind: str) -> Lane:
        return Lane.of(KINDS[kind], prefix=self.prefix)

    async def put(self, *batches: PointBatch) -> list[str]:
        """Enqueue each batch as an entry."""
        return await self.producer.enqueue(
            [Append(self.lane(batch.kind.name), frame.encode(batch), len(batch)) for batch in batches]
        )

    async def measure(self, kind: str) -> Measure:
        return await measure(self.redis, self.redis_url, self.lane(kind))

    async def done(self, kind: str, points: int) -> bool:
        """Whether so many points of that kind are stored or known to be duplicates."""
        found = await self.measure(kind)
        return found.stored_points + found.duplicate_points == points

    async def dead(self, kind: str) -> list[dict[bytes, bytes]]:
        letters: Any = await self.redis.xrange(self.lane(kind).dead)
        return [fields for _, fields in letters]

    def worker(self, *kinds: str, name: str = "one", heart: float | None = 0.05, **options: Any) -> "Hand":
        """A worker that is not running yet."""
        database_url = options.pop("database_url", self.database_url)
        redis = options.pop("redis", self.redis)
        tables = options.pop("tables", PLAIN)
        consumer = Watched(redis, self.redis_url, name)
        reader = Reader(consumer, [self.lane(kind) for kind in kinds or KINDS], **{"block": 0.05, **options})
        heartbeats = Heartbeats(redis, self.redis_url, self.prefix)
        evictor = Evictor(heartbeats, name, silent_seconds=silence(options.get("reclaim_idle", 10.0), heart or 0.05))
        worker = Worker(consumer, reader, Writer(database_url, tables), evictor)
        return Hand(worker, reader, consumer, Heart(worker, reader, consumer, heartbeats, interval=heart or 3600.0))


@dataclass
class Hand:
    """One worker with all its parts."""

    worker: Worker
    reader: Reader
    consumer: Watched
    heart: Heart

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run it beside the block, and stop it behind."""
        task = asyncio.create_task(self.worker.run())
        self.heart.start()
        try:
            yield task
            self.worker.stop()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.heart.stop()

    async def drain(self) -> None:
        """Run it to its end."""
        self.heart.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.worker.run()
        finally:
            await self.heart.stop()
