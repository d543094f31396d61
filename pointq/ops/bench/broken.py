"""An installation on the scratch that may be broken: a server, two workers, and a door before each of the user's servers."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from psycopg import conninfo, sql

from pointq.errors import PointqError
from pointq.ops.bench.children import Child, environ_of
from pointq.ops.bench.clients import POISON
from pointq.ops.bench.door import HOST, Address, Door
from pointq.ops.bench.options import Backends
from pointq.ops.bench.scratch import Scratch
from pointq.points.kinds import UPLOAD

WORKERS = 2
_REDIS_PORT = 6379
_RECLAIM_SECONDS = 1.0
"""A short run must see what dead workers held taken over."""


@dataclass(slots=True)
class Broken:
    """Its processes and its doors."""

    scratch: Scratch
    redis: Door
    database: Door
    folder: Path
    environ: dict[str, str] = field(repr=False)
    url: str = ""
    """Where the server is; one that is started again listens elsewhere."""
    server: Child | None = None
    workers: list[Child] = field(default_factory=list)
    _started: int = 0

    @property
    def spool(self) -> Path:
        """The folder of the server's spool."""
        return self.folder / "data" / "spool"

    @property
    def logs(self) -> Sequence[Path]:
        """What its processes said."""
        return sorted(self.folder.glob("*.log"))

    async def start_server(self) -> None:
        """Start a server, in the place of one that was killed."""
        self.server = await Child.start(("serve", "--port", "0", "--no-worker"), self.environ, self._log("serve"))
        self.url = await self.server.listens()

    async def start_worker(self) -> Child:
        """Start a worker; it may wait for its servers."""
        return await Child.start(("work",), self.environ, self._log("work"))

    def _log(self, name: str) -> Path:
        self._started += 1
        return self.folder / f"{self._started:03}-{name}.log"

    async def end(self) -> None:
        """End its processes."""
        for child in (*self.workers, self.server):
            if child is not None:
                await child.end()


@asynccontextmanager
async def broken(scratch: Scratch, backends: Backends, folder: Path) -> AsyncIterator[Broken]:
    """Everything started and reached. Raises PointqError where it cannot be."""
    await _refuse_poison(scratch)
    with _doors(scratch, folder) as (redis, redis_url, database, database_url):
        environ = environ_of(scratch, backends, folder) | {
            "POINTQ_REDIS__URL": redis_url,
            "POINTQ_DATABASE__URL": database_url,
            "POINTQ_SERVE__FALLBACK": "database,spool",
            "POINTQ_WORK__PROCESSES": "1",
            "POINTQ_WORK__RECLAIM_IDLE_SECONDS": str(_RECLAIM_SECONDS),
            "POINTQ_LOG__FORMAT": "human",
        }
        made = Broken(scratch, redis, database, folder, environ)
        try:
            await made.start_server()
            for _ in range(WORKERS):
                made.workers.append(await made.start_worker())
            for worker in made.workers:
                await worker.works()
            yield made
        finally:
            redis.flow()
            database.flow()
            await made.end()


async def _refuse_poison(scratch: Scratch) -> None:
    await scratch.connection.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT no_poison CHECK (elevation <> {})").format(
            sql.Identifier(UPLOAD.table), sql.Literal(POISON)
        )
    )


@contextmanager
def _doors(scratch: Scratch, folder: Path) -> Iterator[tuple[Door, str, Door, str]]:
    """A door before each server, and the server's URL through it.

    A server on a Unix socket gets its door on one too, in a folder of the user's own: it was open to nobody else, and stays so.
    """
    with ExitStack() as stack:
        target = _redis_address(scratch.redis_url)
        redis = stack.enter_context(Door(target, folder / "redis" if isinstance(target, Path) else None))
        if scratch.connection.pgconn.ssl_in_use:
            raise PointqError(
                "faults are made by a proxy before the database, which cannot see into a connection with TLS",
                hint="run it where the database can be reached without TLS: sslmode=disable in DATABASE_URL",
            )
        info = scratch.connection.info
        at_socket = info.host.startswith("/")
        beyond: Address = Path(info.host) / f".s.PGSQL.{info.port}" if at_socket else (info.hostaddr or info.host, info.port)
        database = stack.enter_context(Door(beyond, folder / f".s.PGSQL.{info.port}" if at_socket else None))
        # the host's name stays: a certificate is for it
        there = {"host": str(folder)} if at_socket else {"host": info.host, "hostaddr": HOST, "port": database.port}
        database_url = conninfo.make_conninfo(scratch.database_url, **there)
        yield redis, _redis_through(scratch.redis_url, redis, folder / "redis"), database, database_url


def _redis_address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        raise PointqError(
            "faults are made by a proxy before Redis, and a rediss:// connection does not let itself be cut where it hurts",
            hint="run it where Redis can be reached by redis:// or unix://",
        )
    return Path(parts.path) if parts.scheme == "unix" else (parts.hostname or "localhost", parts.port or _REDIS_PORT)


def _redis_through(url: str, door: Door, path: Path) -> str:
    """The same URL, user, password and database too, by way of the door."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return urlunsplit(parts._replace(path=str(path)))
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{HOST}:{door.port}"))
