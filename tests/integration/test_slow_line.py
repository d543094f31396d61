"""An operator far away: each answer takes its time, and all is well."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pointq.ops.bench.door import HOST, Door
from tests.support.sites import Site

DELAY = 0.12
"""Seconds, each way. A login to the database alone takes several turns."""


@pytest.fixture
def far(site: Site) -> Iterator[Site]:
    """The site, seen from far away."""
    database = urlsplit(site.database_url)
    query = parse_qs(database.query)
    behind = Path(query["host"][0]) / f".s.PGSQL.{query['port'][0]}"
    with Door(Path(urlsplit(site.redis_url).path)) as to_redis, Door(behind) as to_database:
        to_redis.delay = to_database.delay = DELAY
        yield replace(
            site,
            redis_url=f"redis://{HOST}:{to_redis.port}",
            database_url=f"postgresql://{database.netloc}{HOST}:{to_database.port}{database.path}",
        )


def test_with_patience_all_is_seen(far: Site) -> None:
    assert far.report("status")["state"] == "ok"
    assert {finding["state"] for finding in far.report("check", "--min-workers", "0:")["checks"]} == {"ok"}
    doctor = far.report("doctor")
    assert not doctor["skipped"]
    assert "could not find out" not in str(doctor["findings"])
    assert far.report("flights")["total"] == 0


def test_without_it_every_command_names_the_setting(far: Site) -> None:
    hasty = far.hasty

    assert any("patience_seconds" in reason for reason in hasty.report("status")["reasons"])
    assert "patience_seconds" in hasty.run("check", expect=2).stdout
    assert "patience_seconds" in hasty.run("doctor", expect=1).stdout
    assert "patience_seconds" in hasty.run("flights", expect=3).stderr
