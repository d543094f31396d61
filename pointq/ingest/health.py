"""What monitors and orchestrators ask."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from http import HTTPStatus

import orjson
from aiohttp import web

from pointq.ingest.guard import RETRY_AFTER
from pointq.ingest.services import Services
from pointq.ingest.shortcut import Handler
from pointq.ops.status import Status

_HEALTH = {"ok": "healthy", "degraded": "degraded", "down": "unhealthy"}


def handlers(services: Services) -> Mapping[str, Handler]:
    """The endpoints' handlers by path."""

    def of(answer: Callable[[Status], web.Response]) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            return answer(await services.status())

        return handle

    return {
        "/livez": alive,
        "/readyz": of(ready),
        "/health": of(partial(health, met=services.met)),
        "/queue/status": of(queue_status),
    }


async def alive(_: web.Request) -> web.Response:
    """The process answers."""
    return web.Response(text="ok\n")


def ready(status: Status) -> web.Response:
    """Points are accepted durably. It stands open to everybody, and so does not say why not."""
    if status.state == "down":
        text = "points cannot be accepted now; /health says why\n"
        return web.Response(text=text, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=_retry())
    return web.Response(text="ok\n")


def health(status: Status, met: Mapping[str, int]) -> web.Response:
    """A short word on everything; 503 while points are not accepted durably."""
    down = status.state == "down"
    body = {
        "status": _HEALTH[status.state],
        "redis": _connected(status.redis.connected),
        "database": _connected(status.database.connected),
        "intake": None if status.intake is None else asdict(status.intake),
        "queues": {queue.kind: {"total_pending": queue.total_pending} for queue in status.queues},
        "reasons": status.reasons,
        "limits_met": dict(met),
        "pid": status.intake.pid if status.intake else None,
        "time": status.time,
    }
    code = HTTPStatus.SERVICE_UNAVAILABLE if down else HTTPStatus.OK
    return _json(body, code, _retry() if down else None)


def queue_status(status: Status) -> web.Response:
    """The status document, with the fields that monitors of the replaced system read."""
    return _json(asdict(status) | _legacy(status))


def _legacy(status: Status) -> dict[str, object]:
    totals = status.totals
    stats = {
        queue.kind: {
            "queue_size": queue.ready_points,
            "priority_queue_size": 0,
            "total_pending": queue.total_pending,
        }
        for queue in status.queues
    }
    processed = None
    if totals.stored_points is not None and totals.duplicate_points is not None:
        processed = totals.stored_points + totals.duplicate_points
    return {
        "redis_connected": status.redis.connected,
        "queue_stats": stats,
        "processor_stats": {
            "processed": processed,
            "failed": totals.dead_points,
            "last_processed": status.last_processed,
        },
    }


def _connected(is_connected: bool) -> str:  # noqa: FBT001 - one flag, one word
    return "connected" if is_connected else "disconnected"


def _retry() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER)}


def _json(body: object, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json", headers=headers)
