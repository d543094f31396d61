"""What hangs holds the answer back no longer than everything may take."""

import gc
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pointq.ops.bench.door import HOST, Door
from pointq.ops.doctor.sources import database
from tests.doctor.doctor import Patient, lines_of
from tests.support.sites import Site


async def test_a_name_server(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    thawed = threading.Event()
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: thawed.wait() and resolve("127.0.0.1", 1))
    slow = patient.with_(POINTQ_REDIS__URL="redis://redis.invalid", POINTQ_DATABASE__URL="postgresql://db.invalid/x")

    report = await slow.hasty.examine()

    thawed.set()
    assert report.seconds < 1.5
    for check in ("redis.reachable", "database.reachable"):
        (line,) = lines_of(report, check)
        assert line.severity == "fail"
        assert "does not answer" in line.message


async def test_a_question_that_the_database_does_not_answer(healthy: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_SERVER", "SELECT pg_sleep(60)")

    report = await healthy.hasty.examine()

    assert report.seconds < 1.5
    (line,) = lines_of(report, "database.version")
    assert line.severity == "warn"
    assert "nothing within 0.4 s" in line.message
    assert [found.severity for found in lines_of(report, "database.reachable")] == ["ok"]
    assert [found.severity for found in lines_of(report, "redis.eviction")] == ["ok"]


async def test_what_comes_too_late_leaves_nothing_open(patient: Patient, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with Door(Path(urlsplit(site.redis_url).path)) as door:
        door.delay = 0.05
        report = await patient.hasty.with_(POINTQ_REDIS__URL=f"redis://{HOST}:{door.port}").examine()
        # what is left open warns of itself, which is an error here
        gc.collect()

    (line,) = lines_of(report, "redis.eviction")
    assert "nothing within 0.4 s (patience_seconds)" in line.message
    assert not caplog.records
