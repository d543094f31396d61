"""Which servers a command works with: those configured, or embedded ones, started where they do not run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pointq.errors import ConfigError

if TYPE_CHECKING:
    from pointq.config import Settings
    from pointq.embedded import Backends


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses, and whether any of them is an embedded server's."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    embedded: bool


@contextmanager
def servers(settings: "Settings") -> Iterator[Servers]:
    """The servers for as long as the command runs; embedded ones are started if need be, and have their tables.

    Raises ConfigError where production lacks a setting, EmbeddedError where the embedded servers do not start.
    """
    redis_url, database_url = _configured(settings)
    if redis_url and database_url:
        yield Servers(redis_url, database_url, embedded=False)
        return
    from pointq import embedded

    with embedded.use(settings.data_dir) as backends:
        if database_url is None:
            _make_tables(backends.database_url, settings)
        yield _filled(redis_url, database_url, backends)


@contextmanager
def database_alone(settings: "Settings") -> Iterator[Servers]:
    """The same for a command that needs no Redis: where a database is configured, nothing is started."""
    _, database_url = _configured(settings)
    if database_url:
        yield Servers("", database_url, embedded=False)
        return
    with servers(settings) as found:
        yield found


def running_servers(settings: "Settings") -> Servers | None:
    """The servers as they are, nothing started; None where embedded ones are meant and do not run."""
    redis_url, database_url = _configured(settings)
    if redis_url and database_url:
        return Servers(redis_url, database_url, embedded=False)
    from pointq import embedded

    backends = embedded.probe(settings.data_dir)
    return _filled(redis_url, database_url, backends) if backends else None


def _configured(settings: "Settings") -> tuple[str | None, str | None]:
    redis_url, database_url = settings.redis.effective_url(), settings.database.url
    if settings.prod and database_url is None:
        raise ConfigError("PROD is set and no database is configured", hint="set DATABASE_URL=postgresql://user@host/name")
    return (
        redis_url.get_secret_value() if redis_url else None,
        database_url.get_secret_value() if database_url else None,
    )


def _filled(redis_url: str | None, database_url: str | None, backends: "Backends") -> Servers:
    return Servers(redis_url or backends.redis_url, database_url or backends.database_url, embedded=True)


def _make_tables(url: str, settings: "Settings") -> None:
    import asyncio

    from pointq.store import schema
    from pointq.store.connection import connect
    from pointq.store.layout import Layout

    async def make() -> None:
        connection = await connect(url)
        try:
            await schema.init(connection, Layout.of(settings))
        finally:
            await connection.close()

    asyncio.run(make())
