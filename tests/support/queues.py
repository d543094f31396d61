"""The queue of a site, filled by hand as a server, a worker and the database would."""

from redis.asyncio import Redis

from pointq.points.kinds import UPLOAD
from pointq.queue.consumer import Consumer, DeadLetter, Outcome
from pointq.queue.durability import Acknowledgement
from pointq.queue.heartbeats import Heartbeat, Heartbeats
from pointq.queue.lanes import Lane
from pointq.queue.producer import Append, Producer
from tests.support.frames import framed
from tests.support.sites import Site

MESSAGE = 'value "inf" is out of range'


class Queue:
    """The queue of a site, filled by hand."""

    def __init__(self, site: Site, redis: Redis) -> None:
        self.redis = redis
        self.lane = Lane.of(UPLOAD, prefix=site.prefix)
        self.producer = Producer(redis, "", Acknowledgement())
        self.worker = Consumer(redis, "", "host-7-abc")
        self.heartbeats = Heartbeats(redis, "", site.prefix)

    async def put(self, *points: int, flight: str = "f", start: int = 0) -> list[str]:
        """Append batches of one flight, no point twice."""
        starts = [start + sum(points[:i]) for i in range(len(points))]
        frames = [framed(count, flight, start=begin) for count, begin in zip(points, starts, strict=True)]
        return await self.producer.enqueue(
            [Append(self.lane, frame, count) for frame, count in zip(frames, points, strict=True)]
        )

    async def beat(self, seconds_ago: float = 0.0) -> None:
        """Let the worker say that it lives."""
        at = await self.heartbeats.now() - seconds_ago
        await self.heartbeats.beat(Heartbeat(self.worker.name, "host", 7, (2,), ("upload",), 0.0, 0, "running", at))

    async def hold(self, points: int = 1) -> None:
        """Let the worker take some."""
        await self.worker.read(self.lane, points)

    async def bury(self, sqlstate: str = "22003", message: str = MESSAGE) -> None:
        """Let the database refuse the next batch."""
        (entry,), _ = await self.worker.read(self.lane, 1)
        letter = DeadLetter(entry, entry.frame, entry.points, sqlstate, message)
        await self.worker.complete(self.lane, Outcome([entry], 0, 0, [letter]))
