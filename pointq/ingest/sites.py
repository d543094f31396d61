"""Where a server listens: on an address of its own, or on sockets that were given to it."""

import socket
import ssl
from collections.abc import Sequence

from aiohttp import web

from pointq.ingest.drain import Drain
from pointq.ingest.port import cannot_listen

_BACKLOG = 4096
"""Connections that wait for a busy server, or for one that restarts; as in pointq-serve.socket."""


async def listen(
    runner: web.AppRunner,
    place: tuple[str, int],
    tls: ssl.SSLContext | None,
    *,
    shared: bool = False,
    descriptors: Sequence[int] = (),
) -> None:
    """Listen on the sockets behind those descriptors; where there are none on the place, host and port, which others may share.

    Raises PointqError where it is taken.
    """
    host, port = place
    for descriptor in descriptors:
        await web.SockSite(runner, socket.socket(fileno=descriptor), backlog=_BACKLOG, ssl_context=tls).start()
    if descriptors:
        return
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG, ssl_context=tls, reuse_port=shared or None).start()
    except OSError as exc:
        raise cannot_listen(host, port, exc) from exc


async def close(runner: web.AppRunner, drain: Drain, seconds: float, *, tls: bool) -> None:
    """Listen no more, and let every connection end within that time."""
    for site in tuple(runner.sites):
        await site.stop()
    if runner.server is not None:
        await drain.empty(runner.server, seconds, handshakes=tls)
