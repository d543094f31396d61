"""``GET /metrics``: what the server processes counted, and the queue, the spool and the backends as they are now."""

from collections.abc import Iterator, Mapping

from aiohttp import web

from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler
from pointq.metrics import families
from pointq.metrics.board import Told
from pointq.metrics.families import Family
from pointq.metrics.figures import Series
from pointq.metrics.port import PATH, answer
from pointq.ops.status import QueueStatus, Status, WorkerStatus

_Figure = tuple[Family, Series]


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoint's handler by path."""

    async def handle(request: web.Request) -> web.Response:
        status = await services.status()
        return answer(request, {**services.teller.tell(), **gauges(status)})

    return {PATH: handle}


def gauges(status: Status) -> Told:
    """What the status says, for Prometheus; what is not known is not there."""
    told: dict[str, list[Series]] = {}
    for family, series in _gauges(status):
        told.setdefault(family.name, []).append(series)
    return told


def _gauges(status: Status) -> Iterator[_Figure]:
    yield families.REDIS_UP, Series((), float(status.redis.connected))
    yield families.DATABASE_UP, Series((), float(status.database.connected))
    yield from _known(families.SPOOL_BYTES, status.spool.bytes)
    yield from _known(families.SPOOL_POINTS, status.spool.points)
    if not status.redis.connected or status.workers is None:
        return
    yield from _known(families.REDIS_MEMORY, status.redis.used_memory_bytes)
    # 0 is Redis's word for no limit
    yield from _known(families.REDIS_MEMORY_MAX, status.redis.maxmemory_bytes or None)
    living = [worker for worker in status.workers if worker.state != "lost"]
    yield families.PAUSED_WORKERS, Series((), sum(worker.state == "paused" for worker in living))
    for queue in status.queues:
        yield from _of_lane(queue, living)


def _of_lane(queue: QueueStatus, living: list[WorkerStatus]) -> Iterator[_Figure]:
    kind = queue.kind
    yield from _known(families.QUEUE, queue.ready_points, kind)
    yield from _known(families.PENDING, queue.pending_points, kind)
    yield families.OLDEST, Series((kind,), queue.oldest_age_seconds or 0.0)
    yield from _known(families.DEAD_BATCHES, queue.dead_batches, kind)
    yield from _known(families.OUT, queue.out_points_per_second, kind)
    yield families.LANE_WORKERS, Series((kind,), sum(worker.takes(kind) for worker in living))


def _known(family: Family, value: float | None, *labels: str) -> Iterator[_Figure]:
    if value is not None:
        yield family, Series(labels, value)
