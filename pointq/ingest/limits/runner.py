"""aiohttp's server with connections that are counted and watched."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from pointq.ingest.limits.connection import Connection
from pointq.ingest.limits.doorstep import Doorstep
from pointq.ingest.limits.plan import Times
from pointq.ingest.limits.tally import Tally
from pointq.ingest.limits.watchman import Watchman
from pointq.ingest.malformed import Malformed


class Server(web.Server):
    """Makes the connections."""

    def __init__(self, like: web.Server, doorstep: Doorstep, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(like.request_handler, request_factory=like.request_factory, **options)
        self._doorstep = doorstep
        self._malformed = Malformed()
        self._options = options

    def __call__(self) -> RequestHandler:
        """A new one."""
        return Connection(self, self._malformed, self._is_welcome, loop=self._loop, **self._options)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """One goes."""
        super().connection_lost(handler, exc)
        self._doorstep.leave(handler)

    def _is_welcome(self, connection: Connection) -> bool:
        return self._doorstep.enter(connection, connection.address)

    @property
    def watched(self) -> Iterable[Connection]:
        """Those that are open."""
        return [each for each in self.connections if isinstance(each, Connection)]


class Runner(web.AppRunner):
    """Runs an application on such a server."""

    def __init__(
        self,
        app: web.Application,
        doorstep: Doorstep,
        times: Times,
        tally: Tally,
        *,
        shutdown_timeout: float,
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._doorstep = doorstep
        self._options = {"keepalive_timeout": times.idle, **options}
        self._watchman = Watchman(lambda: self.server.watched if isinstance(self.server, Server) else (), times, tally)

    async def _make_server(self) -> Server:
        self._watchman.start()
        return Server(await super()._make_server(), self._doorstep, **self._options)

    async def cleanup(self) -> None:
        """Stop; slow clients are watched until they are gone."""
        await super().cleanup()
        await self._watchman.stop()
