"""The end of a server's connections, without a request that is cut.

A client that keeps its connection does not ask whether it may send the next request on it. So the server says beforehand that
there is no next one: after `begun` every answer carries `Connection: close`, and a connection ends behind its answer. One that
is idle gets a while for a request to come and be told so; then it is closed, between two requests. What remains is a request
that is on its way in just that moment: its sender sees the connection end without a byte of an answer, and it was not looked
at. Who sends points may always send them again: the same points twice are stored once.
"""

import asyncio
from collections.abc import Sequence

from aiohttp import web

GRACE_SECONDS = 1.0
"""What an idle connection gets: trackers that keep theirs send every second, proxies under load all the time."""

_TICK_SECONDS = 0.02


class Drain:
    """Of one server, which listens no more when this begins."""

    def __init__(self) -> None:
        self.begun = False

    async def empty(
        self, server: web.Server, most_seconds: float, grace_seconds: float = GRACE_SECONDS, *, handshakes: bool = False
    ) -> None:
        """Return when every connection has ended, or after that time: what is still open then is being answered too slowly.

        With `handshakes`, of TLS, the grace is waited for in any case.
        """
        self.begun = True
        loop = asyncio.get_running_loop()
        start = loop.time()
        grace, end = start + min(grace_seconds, most_seconds), start + most_seconds
        # a connection whose TLS handshake goes on is not among them yet
        while ((open_ones := server.connections) or (handshakes and loop.time() < grace)) and loop.time() < end:
            if loop.time() >= grace:
                _close_idle(open_ones)
            await asyncio.sleep(_TICK_SECONDS)


def _close_idle(connections: Sequence[web.RequestHandler]) -> None:
    """Close those that wait for a request; aiohttp's own `pre_shutdown` would close others to the rest of their bodies, too."""
    for each in connections:
        waits = each._waiter  # noqa: SLF001 - aiohttp does not say otherwise who is idle
        if waits is not None and not waits.done():
            each.force_close()
