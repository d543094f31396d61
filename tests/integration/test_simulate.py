"""``pointq simulate`` against real servers: what it says of them is true."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pointq.errors import DatabaseError
from pointq.ops.simulate.plan import Plan
from pointq.ops.simulate.run import Simulation, Snapshot
from pointq.ops.simulate.verify import Verification, verify
from pointq.points.kinds import KINDS
from tests.support.points import FLYMASTER_SECRET, TABLES
from tests.support.processes import Server
from tests.support.schemas import check_against
from tests.support.sites import Site, run_pointq
from tests.support.until import PATIENCE_SECONDS, until

_MOVE_ONE = "UPDATE scoring_track_points SET lat = lat + 1 WHERE time = (SELECT min(time) FROM scoring_track_points)"

SHORT = ("--pilots", "10", "--duration", "2min", "--speed", "60")


@pytest.fixture
def signed(site: Site) -> Site:
    """A site that wants Flymaster uploads signed."""
    return replace(site, extra={"POINTQ_FLYMASTER__SECRET": FLYMASTER_SECRET})


def rows(site: Site) -> int:
    return sum(row["points"] for kind in TABLES for row in site.points(kind, "count(*) AS points", ""))


def test_a_rehearsal_says_that_every_point_is_stored(signed: Site) -> None:
    with signed.serve() as server, signed.work():
        report = signed.report("simulate", "--url", server.url, *SHORT, "--invalid", "0.02", "--duplicates", "0.5", "--verify")

    check_against("simulate", report)
    points = report["points"]
    assert report["pilots"] == {"live": 6, "upload": 2, "flymaster": 1, "scoring": 1}
    assert points["sent"] == points["accepted"] + points["rejected"]
    assert points["rejected"] == points["rejected_as_meant"] > 0
    assert points["duplicates_sent"] > 0
    assert (points["refused"], points["unsent"]) == (0, 0)
    assert report["verification"] | {"waited_seconds": 0} == {
        "checked": points["accepted"],
        "missing": 0,
        "extra": 0,
        "waited_seconds": 0,
    }
    assert rows(signed) == points["accepted"]
    assert {flight["kind"] for flight in signed.report("flights")["flights"]} == set(KINDS)


def test_the_same_seed_and_start_are_the_same_points(site: Site, server: Server) -> None:
    same = ("simulate", "--url", server.url, *SHORT, "--start", "2026-06-21T10:00Z", "--name", "demo", "--seed", "7")
    first = site.report(*same)["points"]["accepted"]
    second = site.report(*same, "--speed", "240")["points"]["accepted"]
    site.drain()

    assert first == second == rows(site)
    assert site.status()["totals"]["duplicate_points"] >= second


def test_the_account_for_people(site: Site, server: Server) -> None:
    done = site.run("simulate", "--url", server.url, *SHORT, "--kind", "live")

    assert "10 live; ended after" in done.stdout
    assert "× 202" in done.stdout  # noqa: RUF001 - times
    assert "--verify looks into the tables" in done.stdout


def test_a_wrong_secret_is_a_refusal(signed: Site) -> None:
    with signed.serve() as server:
        other = replace(signed, extra={"POINTQ_FLYMASTER__SECRET": "mistaken"})
        report = other.report("simulate", "--url", server.url, *SHORT, "--kind", "flymaster", expect=5)

    assert report["points"]["accepted"] == 0
    assert report["points"]["refused"] == report["points"]["sent"] > 0
    assert set(report["requests"]["by_status"]) == {"401"}


def ignore(_: Snapshot) -> None:
    """Whoever watches."""


async def compared(site: Site, simulation: Simulation) -> Verification:
    """What a comparison finds that waits for nothing."""

    async def tick(_: int) -> bool:
        return True

    return await verify(site.database_url, simulation.devices, UTC, tick, patience=30, wait=0)


async def test_missing_and_extra_rows_are_counted(site: Site, server: Server) -> None:
    start = datetime(2026, 6, 21, 23, 59, tzinfo=UTC)
    simulation = Simulation(Plan(server.url, start, "check", pilots=10, duration=120.0, speed=120.0), ignore)
    await simulation.run()
    accepted = simulation.totals.accepted
    before = await compared(site, simulation)
    assert (before.checked, before.missing, before.extra) == (accepted, accepted, 0)

    site.drain()
    after = await compared(site, simulation)
    assert (after.checked, after.missing, after.extra) == (accepted, 0, 0)

    for table in TABLES.values():
        change(site, sql.SQL("DELETE FROM {0} WHERE time = (SELECT max(time) FROM {0})").format(sql.Identifier(table)))
    change(site, sql.SQL(_MOVE_ONE))
    last = await compared(site, simulation)
    assert (last.missing, last.extra) == (accepted - rows(site) + 1, 1)


async def test_a_comparison_that_gets_no_answer_ends(site: Site, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 6, 21, 10, tzinfo=UTC)
    simulation = Simulation(Plan(server.url, start, "held", pilots=1, duration=60.0, speed=120.0), ignore)
    await simulation.run()
    monkeypatch.setattr("pointq.ops.reach.SILENCE", 0.3)
    with psycopg.connect(site.database_url) as holder:
        holder.execute("LOCK TABLE live_track_points IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(DatabaseError, match=r"says nothing for 0\.3 s"):
            await compared(site, simulation)


def change(site: Site, statement: sql.SQL | sql.Composed) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(statement)


def test_ctrl_c_ends_it_with_the_account(site: Site, server: Server) -> None:
    process = subprocess.Popen(
        (
            sys.executable,
            "-m",
            "pointq",
            "simulate",
            "--url",
            server.url,
            "--pilots",
            "5",
            "--duration",
            "1h",
            "--speed",
            "30",
            "--json",
        ),
        env=site.environ,
        cwd=site.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with server.client() as client:
            until(lambda: sum(queue["ready_points"] for queue in client.get("/queue/status").json["queues"]) > 0, "points come")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 130, err
    assert b"Traceback" not in err
    report: Any = json.loads(out)
    check_against("simulate", report)
    assert report["interrupted"] is True
    assert report["points"]["accepted"] > 0


def test_a_server_that_is_not_there_is_named_at_once(site: Site) -> None:
    done = site.run("simulate", "--url", "http://127.0.0.1:1", expect=3)

    assert "the server at http://127.0.0.1:1 cannot be reached" in done.stderr
    assert "pointq serve" in done.stderr


def test_a_database_that_is_not_there_is_named_before_anything_is_sent(site: Site, server: Server, tmp_path: Path) -> None:
    without = replace(site, database_url="postgresql://pointq@127.0.0.1:1/points")
    done = run_pointq("simulate", "--url", server.url, "--verify", environ=without.environ, home=tmp_path)

    assert done.returncode == 3
    assert "the database at 127.0.0.1:1/points cannot be reached" in done.stderr
    assert site.status()["totals"]["accepted_points"] == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--duration", "long"), ("--kind", "radar"), ("--start", "noon"), ("--pilots", "0")]
)
def test_what_makes_no_sense_is_refused(site: Site, option: str, value: str) -> None:
    site.run("simulate", option, value, expect=2)
