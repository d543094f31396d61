"""Servers that may be mistreated: a database server for each process of the tests, a queue's server for each test."""

import itertools
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pointq.ops.bench.door import Door
from tests.faults import servers
from tests.faults.installation import SECONDS, Installation
from tests.faults.servers import ADMIN, USER, VALKEY, DatabaseServer, Engine, QueueServer
from tests.support.sites import Site, run_pointq

_numbers = itertools.count(1)

if sys.platform != "linux":
    pytest.skip("processes are found in /proc, and other means of Linux are used", allow_module_level=True)


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL that tests may end and freeze, and leave as it was."""
    with servers.database_server() as server:
        yield server


@pytest.fixture(scope="session")
def tables(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with pointq's tables."""
    with database(database_server) as name:
        site = Site("redis://unused", database_server.url(name), "pointq", tmp_path_factory.mktemp("tables"))
        grant(database_server.url(name, ADMIN))
        done = run_pointq("db", "init", environ=site.environ, home=site.home)
        assert done.returncode == 0, done.stderr
        yield name


@contextmanager
def database(server: DatabaseServer, template: str = "template1") -> Iterator[str]:
    """Make a database and drop it, by connections that do not outlive a fault; its name."""
    name, url = f"faults_{next(_numbers)}", server.url("postgres", ADMIN)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield name
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def grant(url: str) -> None:
    """Let pointq's role make tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {USER}")


@pytest.fixture
def seed() -> int:
    """What decides everything that is left to chance; shown where the test fails."""
    chosen = int(os.environ.get("POINTQ_TEST_SEED") or random.randrange(2**32))  # noqa: S311 - not a secret
    print(f"POINTQ_TEST_SEED={chosen}")  # noqa: T201 - to repeat a failure
    return chosen


@pytest.fixture
def chance(seed: int) -> random.Random:
    """The dice of this test."""
    return random.Random(seed)  # noqa: S311 - not a secret


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """Which server the queue is in: Valkey that syncs always, where the test names no other."""
    found: Engine = getattr(request, "param", VALKEY)
    return found


@pytest.fixture
def seconds(engine: Engine) -> float:
    """How long a fault lasts: on the first server in full, on the others long enough to be noticed."""
    return SECONDS if engine is VALKEY else SECONDS / 5


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder for the queue's data, and for its socket."""
    folder = Path(tempfile.mkdtemp(prefix="pq-queue-"))
    (folder / "data").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def place(database_server: DatabaseServer, tables: str, engine: Engine, disk: Path, tmp_path: Path) -> Iterator[Installation]:
    """An installation of this test alone."""
    with (
        database(database_server, tables) as name,
        QueueServer(engine, disk, disk / "data") as queue,
        Door(queue.socket) as redis_door,
        Door(database_server.socket) as database_door,
    ):
        try:
            url = database_server.url(name, ADMIN)
            yield Installation(queue, database_server, redis_door, database_door, name, url, tmp_path)
        finally:
            database_server.thaw()
            database_server.start()
