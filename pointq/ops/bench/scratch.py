"""Tables and keys of a benchmark's own: made at its beginning, removed at its end, and nothing else touched."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import AsyncConnection, conninfo, errors, sql

from pointq.config.keeping import ColumnstoreSettings
from pointq.errors import DatabaseError
from pointq.ops.bench.options import Backends
from pointq.points.kinds import KINDS, UPLOAD, Kind
from pointq.queue.connection import connect as connect_redis
from pointq.queue.connection import translated
from pointq.queue.heartbeats import Heartbeats
from pointq.queue.lanes import Lane, lanes_of
from pointq.store import schema as tables
from pointq.store.connection import connect as connect_database
from pointq.store.faults import one_line
from pointq.store.layout import Layout
from pointq.store.mapping import own_table

if TYPE_CHECKING:
    from redis.asyncio import Redis

BARE = replace(UPLOAD, table="bare_points")
"""The table that floors write to: the same columns, the same index."""
BARE_TABLE = own_table(BARE)
REPLACED = replace(UPLOAD, table="replaced_points")
"""The same for the strategy that pointq replaces."""

_QUIET_LOOKS = 3
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Scratch:
    """A schema and a key prefix that nobody else has."""

    schema: str
    prefix: str
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    """The user's database, where no other schema is looked into."""
    redis: "Redis" = field(repr=False)
    connection: AsyncConnection = field(repr=False)
    timescaledb: str | None
    """Its version, where the tables are hypertables."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """One lane a kind."""
        return lanes_of(prefix=self.prefix)

    def lane(self, kind: Kind) -> Lane:
        """The lane of that kind."""
        return Lane.of(kind, 0, self.prefix)

    @property
    def heartbeats(self) -> Heartbeats:
        """The list of the workers that store what waits here."""
        return Heartbeats(self.redis, self.redis_url, self.prefix)

    def key(self, name: str) -> str:
        """A key for what is no lane of pointq's."""
        return f"{self.prefix}:{{{name}}}"

    async def empty_queue(self) -> int:
        """Delete every key that a benchmark may have made, by name: nothing is searched for. How many were there."""
        keys = [key for lane in self.lanes for key in (lane.stream, lane.counters, lane.rates, lane.dead)]
        with translated(self.redis_url):
            # one at a time: in a cluster they are on different servers
            return sum([int(await self.redis.delete(key)) for key in (*keys, self.key(BARE.table), self.key(REPLACED.table))])

    async def empty_tables(self, *names: str) -> None:
        """Empty these tables, or those that pointq writes to."""
        wanted = sql.SQL(", ").join(map(sql.Identifier, names or (UPLOAD.table, "live_track_points", "flights")))
        await self.connection.execute(sql.SQL("TRUNCATE {}").format(wanted))


@asynccontextmanager
async def scratch(backends: Backends) -> AsyncIterator[Scratch]:
    """A scratch of both servers. Raises DatabaseError or RedisError where one cannot be reached, or may not be used so."""
    token = secrets.token_hex(4)
    name, prefix = f"pointq_bench_{token}", f"pointq-bench-{token}"
    url = within_schema(backends.database_url, name)
    async with AsyncExitStack() as stack:
        redis = connect_redis(backends.redis_url)
        stack.push_async_callback(redis.aclose)
        with translated(backends.redis_url):
            await redis.time()
        stack.push_async_callback(_drop_schema, backends.database_url, name)
        await _make_schema(backends.database_url, name)
        connection = await connect_database(url)
        stack.push_async_callback(connection.close)
        version = await _make_tables(connection)
        made = Scratch(name, prefix, backends.redis_url, url, redis, connection, version)
        stack.push_async_callback(_remove_keys, made)
        yield made


def within_schema(url: str, schema: str) -> str:
    """The same database, with names looked up in that schema and in no other."""
    own = conninfo.conninfo_to_dict(url).get("options") or ""
    return conninfo.make_conninfo(url, options=f"{own} -c search_path={schema}".strip())


async def _make_schema(url: str, name: str) -> None:
    connection = await connect_database(url)
    try:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    except errors.InsufficientPrivilege as exc:
        raise DatabaseError(
            f"a benchmark makes a schema of its own, and may not: {one_line(exc)}",
            hint="GRANT CREATE ON DATABASE … TO … for as long as it takes",
        ) from exc
    finally:
        await connection.close()


async def _make_tables(connection: AsyncConnection) -> str | None:
    # compressed by nobody: it would be measured too
    off = ColumnstoreSettings(**dict.fromkeys(KINDS, "off"))
    version = (await tables.init(connection, Layout(columnstore=off))).timescaledb
    for kind in (BARE, REPLACED):
        await tables.make_table(connection, kind)
    return version


async def _drop_schema(url: str, name: str) -> None:
    # a connection of its own: whatever ended the benchmark may have broken the others
    connection = await connect_database(url)
    try:
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    except psycopg.Error as exc:
        raise DatabaseError(
            f"the schema {name} cannot be dropped: {one_line(exc)}", hint=f"do it by hand: DROP SCHEMA {name} CASCADE"
        ) from exc
    finally:
        await connection.close()


async def _remove_keys(made: Scratch) -> None:
    # what was interrupted may have been sent, and the server executes it after its connection was closed
    quiet = 0
    while quiet < _QUIET_LOOKS:
        quiet = 0 if await made.empty_queue() else quiet + 1
        await asyncio.sleep(_LOOK_SECONDS)
    for beat in await made.heartbeats.read():
        # a worker that was killed could not; a list without lines is no key
        await made.heartbeats.remove(beat.id)
