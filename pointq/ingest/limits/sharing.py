"""Tells other servers what this one let in, and hears what they did, by Redis.

A request never waits for this: each server lets in what its own buckets hold, and a few times a second they become what all
servers together left. So for an instant each server may let in a burst of its own; the debt stays in the bucket, and nobody is
let in until it is paid: in the long run the rate holds. While Redis is away each server counts alone.
"""

import logging
import time
from collections.abc import Callable, Sequence

from pointq.aio import Rounds
from pointq.errors import RedisError
from pointq.ingest.limits.accounts import Accounts
from pointq.queue.buckets import SharedBuckets, Taken

log = logging.getLogger("pointq.ingest")

_SECONDS = 0.25
_AT_ONCE = 500
"""Accounts of each kind that are settled at a time, some 2 ms of Redis; those that are left over come next."""
_REST_SECONDS = 2.0
"""After Redis did not answer."""


class Sharing:
    """Settles from `start` to `stop`; both may be called twice."""

    def __init__(
        self, buckets: SharedBuckets, accounts: Sequence[Accounts], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = buckets
        self._accounts = accounts
        self._clock = clock
        self._rounds = Rounds("limits", self._once)

    def start(self) -> None:
        """Begin to settle."""
        self._rounds.start()

    async def stop(self) -> None:
        """Settle no more."""
        await self._rounds.stop()

    async def _once(self) -> float:
        try:
            await self.settle()
        except RedisError as exc:
            # the breaker says so
            log.debug("limits are counted by each server alone: %s", exc)
            return _REST_SECONDS
        return _SECONDS

    async def settle(self) -> None:
        """Tell and hear, once. Raises RedisError."""
        due = [found for accounts in self._accounts for found in accounts.changed(_AT_ONCE)]
        if not due:
            return
        taken = [Taken(name, bucket.unsettled, bucket.rate, bucket.burst) for name, bucket in due]
        try:
            levels = await self._shared.settle(taken)
        except RedisError:
            for (_, bucket), sent in zip(due, taken, strict=True):
                # alone, this server has counted it already: an hour of it must not be a debt when Redis is back
                bucket.unsettled -= sent.count
            raise
        now = self._clock()
        for (_, bucket), sent, level in zip(due, taken, levels, strict=True):
            bucket.settled(sent.count, level, now)
