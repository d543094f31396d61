"""The command, while servers are down, frozen or refuse the login: it is quick, shows what it can, and never exits with 3."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.servers import ADMIN, DatabaseServer, database_server
from tests.queue.servers import Valkey, restartable
from tests.support.sites import Site

PASSWORD = "right"
WRONG = "wr0ng"
GUARDED = "guarded"

BEHIND_REDIS = {"redis", "workers", "queue"}
BEHIND_THE_DATABASE = {"database", "tables", "timescale"}


@pytest.fixture(scope="module")
def queue() -> Iterator[Valkey]:
    with restartable(appendonly="yes", appendfsync="always", requirepass=PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[DatabaseServer]:
    with database_server() as server:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(server.url("postgres", ADMIN), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")
            connection.execute(f"GRANT CREATE ON SCHEMA public TO {GUARDED}")
        yield server


class Ward:
    """Both servers, and what the command finds."""

    def __init__(self, queue: Valkey, database: DatabaseServer, home: Path) -> None:
        self.queue = queue
        self.database = database
        self.home = home
        self.queue_password = self.database_password = PASSWORD

    @property
    def site(self) -> Site:
        redis_url = self.queue.url.replace("unix://", f"unix://:{self.queue_password}@")
        user = f"{GUARDED}:{self.database_password}"
        return Site(redis_url, self.database.url("postgres", user), "pointq", self.home).hasty

    def examine(self) -> Any:
        """Run the command; something is wrong."""
        started = time.monotonic()
        report = self.site.report("doctor", expect=1)
        # the start of an interpreter on a loaded machine comes on top
        assert time.monotonic() - started < 10
        assert report["seconds"] < 1.5
        assert WRONG not in str(report)
        return report


@pytest.fixture
def ward(queue: Valkey, database: DatabaseServer, tmp_path: Path) -> Ward:
    return Ward(queue, database, tmp_path)


def groups(findings: list[Any], severity: str) -> dict[str, list[str]]:
    """The checks with that severity, by their group."""
    found: dict[str, list[str]] = {}
    for line in findings:
        if line["severity"] == severity:
            found.setdefault(line["check"].partition(".")[0], []).append(line["check"])
    return found


def only_redis_is_wrong(report: Any, said: str) -> None:
    (line,) = (line for line in report["findings"] if line["check"] == "redis.reachable")
    assert line["severity"] == "fail"
    assert said in line["message"]
    assert line["mend"]
    assert {line["check"] for line in report["findings"] if line["check"].partition(".")[0] in BEHIND_REDIS} == {
        "redis.reachable"
    }
    assert {skipped["reason"] for skipped in report["skipped"]} == {"Redis does not answer"}
    good = groups(report["findings"], "ok")
    assert "database.reachable" in good["database"]
    assert good["clocks"] == ["clocks.database"]
    assert {"disk", "host", "configuration"} <= set(good)


def only_the_database_is_wrong(report: Any, said: str) -> None:
    (line,) = (line for line in report["findings"] if line["check"] == "database.reachable")
    assert line["severity"] == "fail"
    assert said in line["message"]
    assert line["mend"]
    seen = {line["check"] for line in report["findings"] if line["check"].partition(".")[0] in BEHIND_THE_DATABASE}
    assert seen == {"database.reachable"}
    assert {skipped["reason"] for skipped in report["skipped"]} == {"the database does not answer"}
    good = groups(report["findings"], "ok")
    assert "redis.reachable" in good["redis"]
    assert good["clocks"] == ["clocks.redis"]
    assert {"disk", "host", "queue", "workers"} <= set(good)


def test_both_answer_and_there_are_no_tables(ward: Ward) -> None:
    report = ward.examine()

    assert report["skipped"] == []
    # this database's server does not sync, so that tests are quick
    assert groups(report["findings"], "fail") == {"database": ["database.commit"], "tables": ["tables.present"]}


def test_redis_is_down(ward: Ward) -> None:
    ward.queue.kill()
    try:
        only_redis_is_wrong(ward.examine(), "cannot be reached")
    finally:
        ward.queue.start()


def test_redis_is_frozen(ward: Ward) -> None:
    with frozen(ward.queue):
        only_redis_is_wrong(ward.examine(), "does not answer")


def test_redis_has_another_password(ward: Ward) -> None:
    ward.queue_password = WRONG

    only_redis_is_wrong(ward.examine(), "refuses the login")


def test_the_database_is_down(ward: Ward) -> None:
    ward.database.shut_down_at_once()
    try:
        only_the_database_is_wrong(ward.examine(), "cannot be reached")
    finally:
        ward.database.start()


def test_the_database_is_frozen(ward: Ward) -> None:
    ward.database.freeze()
    try:
        only_the_database_is_wrong(ward.examine(), "does not answer")
    finally:
        ward.database.thaw()


def test_the_database_has_another_password(ward: Ward) -> None:
    ward.database_password = WRONG

    only_the_database_is_wrong(ward.examine(), "refuses the login")


def test_both_are_frozen(ward: Ward) -> None:
    ward.database.freeze()
    try:
        with frozen(ward.queue):
            report = ward.examine()
    finally:
        ward.database.thaw()

    assert {check for checks in groups(report["findings"], "fail").values() for check in checks} == {
        "redis.reachable",
        "database.reachable",
    }
    assert {"disk", "host", "configuration"} <= set(groups(report["findings"], "ok"))


@contextmanager
def frozen(server: Valkey) -> Iterator[None]:
    assert server._process
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server._process.pid, signal.SIGCONT)
