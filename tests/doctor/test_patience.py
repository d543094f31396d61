"""What hangs holds the answer back no longer than everything may take."""

import socket
import threading

import pytest

from pointq.ops.doctor.sources import database
from tests.doctor.doctor import Patient, lines_of


async def test_a_name_server(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    thawed = threading.Event()
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: thawed.wait() and resolve("127.0.0.1", 1))
    slow = patient.with_(POINTQ_REDIS__URL="redis://redis.invalid", POINTQ_DATABASE__URL="postgresql://db.invalid/x")

    report = await slow.examine()

    thawed.set()
    assert report.seconds < 1.5
    for check in ("redis.reachable", "database.reachable"):
        (line,) = lines_of(report, check)
        assert line.severity == "fail"
        assert "does not answer" in line.message


async def test_a_question_that_the_database_does_not_answer(healthy: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_SERVER", "SELECT pg_sleep(60)")

    report = await healthy.examine()

    assert report.seconds < 1.5
    (line,) = lines_of(report, "database.version")
    assert line.severity == "warn"
    assert "nothing within 0.4 s" in line.message
    assert [found.severity for found in lines_of(report, "database.reachable")] == ["ok"]
    assert [found.severity for found in lines_of(report, "redis.eviction")] == ["ok"]
