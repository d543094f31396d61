"""``pointq flights`` and ``pointq db status`` where the database is down, frozen, or refuses the login: said in time."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from pointq.errors import DatabaseError
from pointq.ops.flights import look
from pointq.store.flights import Wanted
from tests.support.pace import quick
from tests.support.sites import Site

if sys.platform != "linux":
    pytest.skip("processes are frozen by means of Linux", allow_module_level=True)

from tests.faults import servers
from tests.faults.servers import ADMIN, USER, DatabaseServer

COMMANDS = [("flights",), ("flights", "--json"), ("flights", "export", "x", "--format", "csv"), ("db", "status")]


@pytest.fixture(scope="module")
def database_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL that these tests may mistreat; pointq's role needs a password, the administrator none."""
    with servers.database_server() as server:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {ADMIN} trust\nlocal all all scram-sha-256\n")
        with psycopg.connect(server.url("postgres", ADMIN), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {USER} PASSWORD 'right'")
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def down(database_server: DatabaseServer, tmp_path: Path) -> Iterator[Site]:
    """A pointq whose database is as the test makes it."""
    yield Site("redis://127.0.0.1:1", database_server.url("postgres", ADMIN), "unused", tmp_path).hasty
    database_server.thaw()
    database_server.start()


def said(site: Site, *words: str, commands: Sequence[tuple[str, ...]] = COMMANDS) -> None:
    """Every command says it in one line, with what to do, and prints nothing."""
    for command in commands:
        done = site.run(*command, expect=3)
        assert done.stdout == ""
        error, hint = done.stderr.splitlines()
        assert all(word in error for word in words), error
        assert hint.startswith("hint: ")


def seconds(site: Site) -> float:
    """How long it takes to find out."""
    start = time.perf_counter()
    with pytest.raises(DatabaseError):
        asyncio.run(look(site.database_url, Wanted(), datetime.now(UTC), patience=0.4))
    return time.perf_counter() - start


def test_down(down: Site, database_server: DatabaseServer) -> None:
    database_server.shut_down_at_once()

    said(down, "cannot be reached")
    quick(lambda: seconds(down), within=1)


def test_frozen(down: Site, database_server: DatabaseServer) -> None:
    database_server.freeze()

    said(down, "says nothing for 0.4 s")
    quick(lambda: seconds(down), within=1)


def test_a_wrong_password(down: Site, database_server: DatabaseServer) -> None:
    url = database_server.url("postgres").replace(f"{USER}@", f"{USER}:mistaken@")
    wrong = Site(down.redis_url, url, down.prefix, down.home)

    said(wrong, "refuses the login", "password authentication failed")
    assert all("mistaken" not in wrong.run(*command, expect=3).stderr for command in COMMANDS)


def test_without_tables(down: Site) -> None:
    said(down, "the table flights cannot be read", "does not exist", commands=COMMANDS[:3])


def test_one_that_does_not_come_to_an_answer(down: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointq.ops.reach.SILENCE", 0.3)
    with psycopg.connect(down.database_url, autocommit=True) as holder:
        holder.execute("CREATE TABLE flights (x int)")
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE flights")
        # it answers the question only when nobody holds the table
        assert quick(lambda: seconds(down), within=2) >= 0.3
        holder.execute("DROP TABLE flights")
        holder.execute("COMMIT")
