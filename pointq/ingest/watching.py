"""How a server sees itself, for whoever asks it or looks from outside."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

from pointq.clock import rfc3339
from pointq.ingest.intake import Intake
from pointq.ingest.plan import Plan
from pointq.ops.collect import collect
from pointq.ops.notices import IntakeStatus, Notice
from pointq.ops.status import Status
from pointq.queue.connection import connect
from pointq.queue.lanes import Lane

log = logging.getLogger("pointq.ingest")

_STATUS_SECONDS = 1.0
"""A status is given out again for so long: monitors that ask often must not open connections as often."""


def status_of(plan: Plan, intake: Intake, lanes: Sequence[Lane], stack: AsyncExitStack) -> "Remembered":
    """The status as this server gives it out."""
    # a client of its own: a question must not wait behind batches that a frozen server keeps
    redis = connect(plan.redis_url, max_connections=plan.max_connections)
    stack.push_async_callback(redis.aclose)
    ask = partial(collect, redis, (plan.redis_url, plan.database_url), lanes)
    return Remembered(
        partial(
            ask,
            prefix=plan.prefix,
            spool=plan.spool_dir,
            intake=partial(going, intake),
            patience=plan.patience_seconds,
        )
    )


def going(intake: Intake) -> IntakeStatus:
    """Which way points go in this process."""
    now = intake.going
    return IntakeStatus(now.via, rfc3339(now.since), now.is_open, os.getpid(), now.reason)


def notice_of(plan: Plan, stack: AsyncExitStack) -> Notice | None:
    """Where this process tells others of its machine which way points go; None where it cannot."""
    if plan.spool_dir is None:
        return None
    try:
        notice = Notice(plan.spool_dir)
    except OSError as exc:
        log.warning("`pointq status` will not say which way points go here: %s", exc)
        return None
    stack.callback(notice.close)
    return notice


class Remembered:
    """A status that is asked for at most once in a while, by one question at a time."""

    def __init__(self, ask: Callable[[], Awaitable[Status]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._last: tuple[float, Status] | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> Status:
        """The status, at most a second old."""
        async with self._lock:
            now = self._clock()
            if self._last is None or now - self._last[0] > _STATUS_SECONDS:
                self._last = (now, await self._ask())
            return self._last[1]
