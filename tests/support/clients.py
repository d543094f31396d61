"""A client of Redis that waits for a machine that stands still: pointq's own gives up after 2 s, which is for pointq to do."""

from redis.asyncio import Redis

from pointq.queue.connection import connect
from tests.support.until import PATIENCE_SECONDS


def patient(url: str) -> Redis:
    """A client for that URL, to be closed by its user."""
    return connect(url, timeout=PATIENCE_SECONDS)
