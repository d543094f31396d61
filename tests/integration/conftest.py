"""A server that the tests of a module share, and a check of everything it ever promised."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from pointq.embedded import Backends
from tests.support.api import Api, Ledger
from tests.support.clients import patient
from tests.support.databases import database, key_prefix
from tests.support.guarded import Guarded, guarded
from tests.support.points import FLYMASTER_SECRET, TABLES
from tests.support.processes import Server
from tests.support.queues import Queue
from tests.support.sites import Site

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def max_body_bytes() -> int:
    """The limit of the shared server."""
    return 65_536


@pytest.fixture(scope="module")
def servers() -> Iterator[Guarded]:
    """Servers with passwords, which may be frozen: nobody else uses them."""
    with guarded() as running:
        yield running


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """What clients of the shared server were told is safe."""
    return Ledger()


@pytest.fixture(scope="module")
def shared_site(
    backends: Backends, template: str, ledger: Ledger, max_body_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A pointq for all tests of a module; in the end its tables hold what was accepted, and nothing else."""
    settings = {"POINTQ_SERVE__MAX_BODY_BYTES": str(max_body_bytes), "POINTQ_FLYMASTER__SECRET": FLYMASTER_SECRET}
    with database(backends.database_url, template=template) as url, key_prefix(backends.redis_url) as prefix:
        site = Site(backends.redis_url, url, prefix, tmp_path_factory.mktemp("shared"), settings)
        yield site
        site.drain()
        assert stored(site) == ledger


@pytest.fixture(scope="module")
def shared_server(shared_site: Site) -> Iterator[Server]:
    """Its ingest server; none of the tests cares what another sends."""
    with shared_site.serve() as server:
        yield server


@pytest.fixture
def api(shared_server: Server, ledger: Ledger) -> Iterator[Api]:
    """A connection to it, and a flight of this test alone."""
    with shared_server.client() as client:
        yield Api(client, ledger, f"flight {next(_numbers)}")


@pytest.fixture
async def queue(site: Site) -> AsyncIterator[Queue]:
    """The queue of the test's own site, to be filled by hand."""
    redis = patient(site.redis_url)
    yield Queue(site, redis)
    await redis.aclose()


def stored(site: Site) -> Ledger:
    """Count the rows of each flight in all tables."""
    found = Ledger()
    for kind in TABLES:
        for row in site.points(kind, "count(*) AS points, flight_uuid", "GROUP BY flight_uuid"):
            found[kind, row["flight_uuid"]] = row["points"]
    return found
