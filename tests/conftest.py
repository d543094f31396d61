"""Real servers for every test that wants them, and a database, a key prefix and a home of its own for each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pointq import embedded
from pointq.embedded import Backends
from tests.support.databases import database, database_name, key_prefix
from tests.support.needs import missing
from tests.support.processes import Server
from tests.support.programs import embedded_programs, folder_of_a_server
from tests.support.sites import Site, run_pointq

PROJECT = Path(__file__).parents[1]

# `make fuzz`: whatever fails prints what reproduces it
settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("POINTQ_FUZZ_EXAMPLES", "10000")),
    derandomize=False,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# a core that is shared makes any deadline a matter of luck
settings.register_profile("tests", deadline=None, print_blob=True)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def backends() -> Iterator[Backends]:
    """A Valkey and a PostgreSQL for all tests of this process."""
    embedded_programs()
    with folder_of_a_server("pointq-test-") as folder, embedded.use(folder / "data") as running:
        yield running


@pytest.fixture(scope="session")
def redis_url(backends: Backends) -> str:
    """The Valkey of this process, shared by its tests: each keeps to its prefix."""
    return backends.redis_url


@pytest.fixture(scope="session")
def template(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with pointq's tables, which takes a moment to copy and a second to make."""
    with database(backends.database_url) as url:
        site = Site(backends.redis_url, url, "template", tmp_path_factory.mktemp("template"))
        done = run_pointq("db", "init", environ=site.environ, home=site.home)
        assert done.returncode == 0, done.stderr
        yield database_name(url)


@pytest.fixture
def prefix(redis_url: str) -> Iterator[str]:
    """What the keys of this test begin with."""
    with key_prefix(redis_url) as own:
        yield own


@pytest.fixture
def database_url(backends: Backends) -> Iterator[str]:
    """A database without tables."""
    with database(backends.database_url) as own:
        yield own


@pytest.fixture
def site(backends: Backends, template: str, prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A pointq of this test alone, its tables made."""
    with database(backends.database_url, template=template) as own:
        yield Site(backends.redis_url, own, prefix, tmp_path)


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    """Its ingest server, without a worker; it must end well."""
    with site.serve() as running:
        yield running


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files."""
    folder = Path(os.environ.get("POINTQ_SAMPLES", PROJECT.parent / "shared" / "data"))
    if not (folder / "igc").is_dir():
        missing(f"the sample files are not in {folder}: set POINTQ_SAMPLES to their folder")
    return folder
