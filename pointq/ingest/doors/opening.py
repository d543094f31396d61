"""Puts the doors of a server together."""

from contextlib import AsyncExitStack
from pathlib import Path

from pointq.ingest.doors.book import BookFile
from pointq.ingest.doors.gate import Gate
from pointq.ingest.doors.jwt import SignedTokens
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.doors.watch import Watch
from pointq.ingest.limits.failures import Failures
from pointq.store.connection import describe


async def opened(plan: DoorPlan, database_url: str, stack: AsyncExitStack, failures: Failures) -> Gate:
    """The doors of a server, with all that is known of tokens; `stack` closes what keeps it up to date.

    Raises ConfigError where the keys of signed tokens cannot be used.
    """
    keys = Keys(SignedTokens(plan.jwt) if plan.jwt.wanted else None)
    if plan.asks:
        file = BookFile(Path(plan.book_file), describe(database_url)) if plan.book_file else None
        watch = Watch(keys, database_url, file)
        stack.push_async_callback(watch.stop)
        await watch.start()
    return Gate(plan, keys, failures)
